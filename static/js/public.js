// What pages gain with JavaScript; every page works without this file.

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Move focus to the list of errors, and from each of its links into the field. */
function focusErrors() {
  const summary = document.querySelector("[data-error-summary]");
  if (!summary) return;
  summary.focus();
  summary.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    const group = field.closest("fieldset");
    ((group && group.querySelector("legend")) || field.closest(".field") || field).scrollIntoView();
    field.focus({ preventScroll: true });
  });
}

/** Let a form go once; the guard falls when the page is shown again from the browser's memory. */
function guardSubmits() {
  const sent = new WeakSet();
  const buttons = (form) => all("[data-prevent-double-click]", form);
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || !buttons(form).length) return;
    if (sent.has(form)) return event.preventDefault();
    sent.add(form);
    for (const button of buttons(form)) button.setAttribute("aria-disabled", "true");
    setTimeout(() => release(form), 8000);
  });
  const release = (form) => {
    sent.delete(form);
    for (const button of buttons(form)) button.removeAttribute("aria-disabled");
  };
  addEventListener("pageshow", (event) => event.persisted && all("form").forEach(release));
}

/** "None of these" and the other boxes of a group untick each other. */
function exclusiveBoxes() {
  document.addEventListener("change", (event) => {
    const box = event.target;
    const group = box.checked && box.type === "checkbox" && box.closest("[data-checkboxes]");
    if (!group) return;
    const alone = "exclusive" in box.dataset;
    for (const other of all("input[type=checkbox]", group)) {
      if (other !== box && (alone || "exclusive" in other.dataset)) other.checked = false;
    }
  });
}

/** Show and hide a password; it is hidden again before the form is sent. */
function passwordToggles() {
  for (const button of all("[data-password-toggle]")) {
    const field = document.getElementById(button.dataset.passwordToggle);
    const show = (visible) => {
      field.type = visible ? "text" : "password";
      button.setAttribute("aria-pressed", String(visible));
      button.textContent = visible ? button.dataset.hide : button.dataset.show;
    };
    button.hidden = false;
    button.addEventListener("click", () => show(field.type === "password"));
    field.form?.addEventListener("submit", () => show(false));
  }
}

/** Leave at once: blank the page, then go; three presses of Shift do the same. */
function exitPage() {
  const link = document.querySelector("[data-exit-page]");
  if (!link) return;
  const leave = () => {
    document.documentElement.classList.add("leaving");
    document.title = "…";
    location.replace(link.href);
  };
  link.addEventListener("click", (event) => { event.preventDefault(); leave(); });
  let presses = [];
  addEventListener("keydown", (event) => {
    if (event.key !== "Shift") { presses = []; return; }
    if (event.repeat) return;
    presses = [...presses.filter((at) => event.timeStamp - at < 3000), event.timeStamp];
    if (presses.length >= 3) leave();
  });
}

/** Warn before a session ends and offer to stay; time is read from the clock, so a sleeping phone is not fooled. */
function timeoutWarning() {
  const dialog = document.querySelector("[data-timeout]");
  if (!dialog || !dialog.showModal) return;
  const { timeout, timeoutWarn, timeoutExtend, timeoutLeave } = dialog.dataset;
  const left = dialog.querySelector("[data-timeout-left]");
  let end = Date.now() + timeout * 1000;
  const stay = async () => {
    const answer = await fetch(timeoutExtend, { credentials: "same-origin", cache: "no-store" }).catch(() => null);
    if (!answer || !answer.ok) return;
    end = Date.now() + timeout * 1000;
    dialog.close();
  };
  dialog.querySelector("[data-timeout-stay]").addEventListener("click", stay);
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); stay(); });
  setInterval(() => {
    const seconds = Math.round((end - Date.now()) / 1000);
    if (seconds <= 0) return location.replace(timeoutLeave);
    if (seconds > timeoutWarn) return;
    left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    if (!dialog.open) dialog.showModal();
  }, 1000);
}

focusErrors();
guardSubmits();
exclusiveBoxes();
passwordToggles();
exitPage();
timeoutWarning();
