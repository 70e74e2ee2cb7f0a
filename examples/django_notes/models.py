"""What the site keeps."""

from django.conf import settings
from django.db import models


class Note(models.Model):
    """A note that its owner has published."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    title = models.CharField(max_length=80)
    text = models.TextField(blank=True)

    def __str__(self) -> str:
        """Give its title."""
        return str(self.title)
