"use strict";
// Keeps the page young: the same page is fetched again and what differs is brought over, element by element, so that
// focus, scroll position, selection and what is being typed stay. Without this script all of it works by loading pages.
(() => {
  const EVERY = 5000;
  const live = document.getElementById("live");
  const said = document.getElementById("said");
  const form = document.getElementById("filter");
  let turn = 0;
  let timer;

  function bringOver(from, to) {
    for (const { name } of [...to.attributes]) if (!from.hasAttribute(name)) to.removeAttribute(name);
    for (const { name, value } of from.attributes) if (to.getAttribute(name) !== value) to.setAttribute(name, value);
    const wanted = [...from.childNodes];
    wanted.forEach((node, place) => {
      const here = to.childNodes[place];
      const known = node.id && document.getElementById(node.id);
      const match = known && known.parentNode === to ? known : here;
      if (match && alike(match, node)) {
        if (match !== here) to.insertBefore(match, here);
        if (node.nodeType === Node.ELEMENT_NODE) bringOver(node, match);
        else if (match.data !== node.data) match.data = node.data;
      } else to.insertBefore(document.importNode(node, true), here || null);
    });
    while (to.childNodes.length > wanted.length) to.lastChild.remove();
  }

  function alike(one, other) {
    return one.nodeType === other.nodeType && one.nodeName === other.nodeName && (one.id || "") === (other.id || "");
  }

  function show(page) {
    const focused = document.activeElement;
    for (const part of page.querySelectorAll("[data-live]")) {
      const here = document.getElementById(part.id);
      if (here) bringOver(part, here);
    }
    if (document.title !== page.title) {
      document.title = page.title;
      said.textContent = page.title;
    }
    if (focused && focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
  }

  function tell(good, text) {
    live.hidden = false;
    live.classList.toggle("lost", !good);
    if (live.textContent !== text) live.textContent = text;
    if (!good) said.textContent = text;
  }

  async function load(address, announce) {
    const mine = ++turn;
    clearTimeout(timer);
    try {
      const answer = await fetch(address, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(4 * EVERY) });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine !== turn) return;
      if (!page.getElementById("clock")) throw new Error(String(answer.status));
      if (!answer.ok && !announce) tell(false, "removed,");
      else {
        show(page);
        tell(true, "live,");
        const matched = document.querySelector(".matched");
        if (announce) said.textContent = matched ? matched.firstChild.textContent.trim() : "All tasks";
      }
    } catch {
      if (mine === turn) tell(false, "no response from the exporter,");
    }
    if (mine === turn) timer = setTimeout(refresh, EVERY);
  }

  function refresh() {
    const selection = getSelection();
    if (document.hidden || (selection && !selection.isCollapsed)) timer = setTimeout(refresh, EVERY);
    else load(location.href, false);
  }

  function fill(address) {
    if (!form) return;
    for (const field of form.elements) {
      if (field.name && field !== document.activeElement) {
        field.value = address.searchParams.get(field.name) || (field.name === "sort" ? "phase" : "");
      }
    }
  }

  function go(address, keep) {
    if (keep) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
    fill(address);
    load(address.href, true);
  }

  function asked() {
    const address = new URL(location.pathname, location.href);
    for (const [name, value] of new FormData(form)) {
      if (value && !(name === "sort" && value === "phase")) address.searchParams.set(name, value);
    }
    return address;
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-swap]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(new URL(link.href), false);
  });
  if (form) {
    let typing;
    form.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => go(asked(), true), 250);
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      clearTimeout(typing);
      go(asked(), false);
    });
  }
  addEventListener("popstate", () => {
    fill(new URL(location.href));
    load(location.href, true);
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) refresh();
  });
  tell(true, "live,");
  timer = setTimeout(refresh, EVERY);
})();
