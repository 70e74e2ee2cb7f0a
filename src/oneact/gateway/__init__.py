"""What stands between agents and tools or services that have not adopted OneAct."""
