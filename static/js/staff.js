// What staff pages gain with JavaScript; every page works without this file.

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
/** Keep a choice in the account where the page names an address for it, else in this browser. */
const remember = (name, value) => {
  const { preferences, csrf } = document.body.dataset;
  if (preferences) {
    const body = new URLSearchParams({ csrf_token: csrf, [name]: value });
    fetch(preferences, { method: "POST", body, credentials: "same-origin", keepalive: true }).catch(() => null);
    return;
  }
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${value}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
};

/** Light or dark by choice; the server writes the choice on <html>, so nothing flashes. */
function themeToggle() {
  const button = document.querySelector("[data-theme-toggle]");
  if (!button) return;
  const root = document.documentElement;
  const dark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const label = () => { button.textContent = dark() ? button.dataset.light : button.dataset.dark; };
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    document.querySelector("meta[name=color-scheme]")?.setAttribute("content", root.dataset.theme);
    remember("theme", root.dataset.theme);
    label();
  });
  label();
}

/** Menus close on Escape and on a click elsewhere. */
function menus() {
  document.addEventListener("click", (event) => {
    for (const menu of all("[data-menu][open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector("[data-menu][open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

/** Tick all rows of a page, tick a range with Shift, say how many are ticked. */
function selection() {
  let last = null;
  const boxes = (name) => all(`input[type=checkbox][name="${CSS.escape(name)}"]`);
  const refresh = () => {
    for (const master of all("[data-select-all]")) {
      const rows = boxes(master.dataset.selectAll);
      const ticked = rows.filter((box) => box.checked);
      master.hidden = !rows.length;
      master.checked = rows.length > 0 && ticked.length === rows.length;
      master.indeterminate = ticked.length > 0 && ticked.length < rows.length;
      for (const box of rows) box.closest("tr")?.classList.toggle("selected", box.checked);
    }
    for (const bar of all("[data-bulk]")) {
      const number = boxes(bar.dataset.bulk).filter((box) => box.checked).length;
      const text = bar.querySelector("[data-selected]");
      const words = text.dataset.text.replace("{n}", number.toLocaleString(document.documentElement.lang));
      if (text.textContent !== words) text.textContent = words;
    }
  };
  document.addEventListener("click", (event) => {
    const box = event.target;
    if (!box.matches?.("input.pick") || box.dataset.selectAll) return;
    const rows = boxes(box.name);
    if (event.shiftKey && rows.includes(last)) {
      const [from, to] = [rows.indexOf(last), rows.indexOf(box)].sort((a, b) => a - b);
      for (const row of rows.slice(from, to + 1)) row.checked = box.checked;
    }
    last = box;
    refresh();
  });
  document.addEventListener("change", (event) => {
    const name = event.target.dataset?.selectAll;
    if (name) for (const box of boxes(name)) box.checked = event.target.checked;
    refresh();
  });
  document.addEventListener("fragment", refresh);
  addEventListener("pageshow", refresh);
  refresh();
}

/** Replace one region by the same region of another page; resolves to whether that worked. */
async function swap(id, address) {
  const region = document.getElementById(id);
  if (!region) return false;
  region.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { headers: { "X-Fragment": id }, credentials: "same-origin" });
    const fresh = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(id);
    if (!fresh) return false;
    const focused = region.contains(document.activeElement) && document.activeElement.id;
    region.replaceChildren(...fresh.childNodes);
    if (focused) document.getElementById(focused)?.focus();
    document.dispatchEvent(new CustomEvent("fragment", { detail: { id } }));
    return true;
  } catch {
    return false;
  } finally {
    region.removeAttribute("aria-busy");
  }
}

/** Regions that stay fresh (data-refresh, data-refresh-every in seconds) and links or GET forms that load into one (data-fragment). */
function fragments() {
  const announce = () => {
    const status = document.querySelector("[data-announce]");
    if (!status) return;
    status.textContent = "";
    setTimeout(() => { status.textContent = status.dataset.updated; }, 50);
  };
  const go = async (id, address) => {
    if (!(await swap(id, address))) { location.assign(address); return; }
    history.pushState({ fragment: id }, "", address);
    announce();
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-fragment]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(link.dataset.fragment, link.href);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.dataset.fragment || form.method !== "get" || event.defaultPrevented) return;
    event.preventDefault();
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
    go(form.dataset.fragment, `${form.action.split("?")[0]}?${query}`);
  });
  addEventListener("popstate", () => location.reload());
  for (const region of all("[data-refresh]")) {
    setInterval(() => {
      const busy = document.hidden || region.contains(document.activeElement) || region.querySelector("input:checked");
      if (!busy) swap(region.id, region.dataset.refresh);
    }, Math.max(5, region.dataset.refreshEvery || 30) * 1000);
  }
}

/** A problem of the code editor puts the cursor where it is. */
function cursors() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-cursor]");
    const editor = link && document.getElementById(link.hash.slice(1));
    if (!editor) return;
    event.preventDefault();
    const [line, column] = link.dataset.cursor.split(":").map(Number);
    const lines = editor.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    const at = Math.min(start + Math.max(0, column - 1), start + (lines[line - 1] || "").length);
    editor.focus();
    editor.setSelectionRange(at, at);
    editor.scrollTop = (editor.scrollHeight / Math.max(1, lines.length)) * Math.max(0, line - 4);
  });
}

/** Single keys act on [data-key], "g q" in sequence; J and K walk a [data-key-list]; "?" lists them. Each person may switch them off. */
function shortcuts() {
  const dialog = document.querySelector("[data-shortcuts-dialog]");
  const opener = document.querySelector("[data-shortcut-help]");
  const on = () => document.body.dataset.shortcuts !== "off";
  const name = (element) => (element.getAttribute("aria-label") || element.labels?.[0]?.textContent || element.textContent).trim().replace(/\s+/g, " ");
  const targets = () => all("[data-key]").filter((element) => element.getClientRects().length);

  const help = () => {
    if (!dialog?.showModal || dialog.open) return;
    const list = dialog.querySelector("[data-shortcuts-list]");
    for (const old of all("[data-listed]", list)) old.remove();
    for (const element of targets()) {
      const row = document.createElement("div");
      const keys = row.appendChild(document.createElement("dt"));
      row.dataset.listed = "";
      for (const key of element.dataset.key.split(" ")) {
        const mark = document.createElement("kbd");
        mark.textContent = key.toUpperCase();
        keys.append(mark, " ");
      }
      row.appendChild(document.createElement("dd")).textContent = name(element);
      list.append(row);
    }
    dialog.showModal();
  };
  const act = (element) => (element.matches("input, select, textarea") ? element.focus() : element.click());
  const walk = (step) => {
    const stops = all("[data-key-list] > *").map((row) => row.querySelector("th a, a")).filter(Boolean);
    const now = stops.findIndex((stop) => stop.closest("[data-key-list] > *").contains(document.activeElement));
    stops[now < 0 ? 0 : Math.max(0, Math.min(stops.length - 1, now + step))]?.focus();
  };

  let prefix = "";
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
    if (!on() || typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : "";
    if (!key || key === " ") return;
    const typed = prefix ? `${prefix} ${key}` : key;
    const match = targets().find((element) => element.dataset.key === typed);
    prefix = !match && targets().some((element) => element.dataset.key.startsWith(`${typed} `)) ? typed : "";
    if (match) act(match);
    else if (key === "?") help();
    else if (key === "j") walk(1);
    else if (key === "k") walk(-1);
    else return;
    event.preventDefault();
  });
  if (!dialog || !opener) return;
  opener.hidden = false;
  opener.addEventListener("click", help);
  const lever = dialog.querySelector("[data-shortcuts-switch]");
  lever.checked = on();
  lever.addEventListener("change", () => {
    document.body.dataset.shortcuts = lever.checked ? "on" : "off";
    remember("shortcuts", document.body.dataset.shortcuts);
  });
}

themeToggle();
menus();
selection();
fragments();
cursors();
shortcuts();
