// Says exact values the way the person's own browser says them: beside the exact ones, never instead.
const day = { dateStyle: "full", timeZone: "UTC" };
const readings = {
  money(text) {
    const [amount, currency] = text.split(" ");
    const digits = amount.split(".")[1]?.length ?? 0;
    const shown = { style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits };
    return new Intl.NumberFormat(undefined, shown).format(amount);
  },
  date: (text) => new Intl.DateTimeFormat(undefined, day).format(new Date(text + "T00:00:00Z")),
  "date-time"(text) {
    const shown = { dateStyle: "full", timeStyle: "long" };
    return new Intl.DateTimeFormat(undefined, shown).format(new Date(text));
  },
};

export function localise(root) {
  for (const exact of root.querySelectorAll("[data-format]")) {
    const read = readings[exact.dataset.format];
    if (!read) continue;
    try {
      const beside = document.createElement("span");
      beside.className = "local";
      beside.textContent = `(${read(exact.textContent)})`;
      exact.after(" ", beside);
    } catch {
      // A value that the browser cannot read has only its exact form.
    }
  }
  for (const time of root.querySelectorAll("time")) {
    const shown = { dateStyle: "medium", timeStyle: "seconds" in time.dataset ? "medium" : "short" };
    time.title = time.textContent;
    time.textContent = new Intl.DateTimeFormat(undefined, shown).format(new Date(time.dateTime));
  }
}

localise(document);
