// Suggestions for the name of a condition or medicine; the question works without this file.

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Suggest names while somebody types: a combobox whose list is chosen from by hand; the words never stand in an address. */
function suggestNames() {
  for (const root of all("[data-naming]")) {
    const box = root.querySelector("[name=answer]");
    const list = document.createElement("ul");
    const status = document.createElement("p");
    const kept = (name) => all(`[name=${name}]`, root).find((field) => field.type === "hidden");
    let active = -1;
    let asked = 0;
    Object.assign(list, { id: `${box.id}-suggestions`, className: "suggestions", hidden: true });
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", root.dataset.label);
    status.className = "visually-hidden";
    status.setAttribute("role", "status");
    for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-controls", list.id]]) {
      box.setAttribute(name, value);
    }
    box.after(list, status);

    const options = () => [...list.children];
    const close = () => {
      list.hidden = true;
      active = -1;
      box.setAttribute("aria-expanded", "false");
      box.removeAttribute("aria-activedescendant");
    };
    const move = (to) => {
      const count = options().length;
      active = (to + count) % count;
      options().forEach((option, at) => option.setAttribute("aria-selected", String(at === active)));
      options()[active].scrollIntoView({ block: "nearest" });
      box.setAttribute("aria-activedescendant", options()[active].id);
    };
    const note = (name, value) => {
      const field = kept(name);
      if (field) field.value = value;
    };
    const take = (option) => {
      for (const old of all("[name=meant][type=radio]", root)) old.closest("fieldset").remove();
      if (!kept("meant")) root.append(Object.assign(document.createElement("input"), { type: "hidden", name: "meant" }));
      note("typed", box.value.trim());
      box.value = option.textContent;
      note("asked", box.value);
      note("meant", option.dataset.meant);
      asked += 1;
      close();
      status.textContent = "";
    };
    const show = (found) => {
      list.replaceChildren(...found.map(({ label, meant }, at) => {
        const option = Object.assign(document.createElement("li"), { id: `${list.id}-${at + 1}`, textContent: label });
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.dataset.meant = meant;
        return option;
      }));
      close();
      const { none, one, some } = root.dataset;
      status.textContent = found.length === 0 ? none : found.length === 1 ? one : some.replace("{}", found.length);
      list.hidden = found.length === 0;
      box.setAttribute("aria-expanded", String(found.length > 0));
    };
    const ask = async () => {
      const turn = ++asked;
      const words = box.value.trim();
      if (words.length < 2) { status.textContent = ""; return close(); }
      const answer = await fetch(root.dataset.url, {
        method: "POST", cache: "no-store", credentials: "same-origin",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ about: root.dataset.about, words }),
      }).catch(() => null);
      const told = answer && answer.ok ? await answer.json() : { found: [] };
      if (turn === asked) show(told.found);
    };

    let waiting;
    box.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(ask, 120);
    });
    box.addEventListener("blur", () => { asked += 1; clearTimeout(waiting); close(); });
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) take(option);
    });
    box.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      const isOpen = !list.hidden;
      if (event.key === "ArrowDown" && isOpen) move(active + 1);
      else if (event.key === "ArrowUp" && isOpen) move(active < 0 ? -1 : active - 1);
      else if (event.key === "Enter" && isOpen && active >= 0) take(options()[active]);
      else if (event.key === "Escape" && isOpen) close();
      else return;
      event.preventDefault();
    });
  }
}

suggestNames();
