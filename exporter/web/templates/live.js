"use strict";
// Keeps the page up to date: fetches it every 5 s and updates the elements that differ. Focus, scroll position,
// selection and typed text stay. Without this script, links and the form load whole pages.
(() => {
  const INTERVAL = 5000;
  const live = document.getElementById("live");
  const announcement = document.getElementById("announcement");
  const form = document.getElementById("filter");
  let newest = 0;
  let timer;

  function update(from, to) {
    for (const { name } of [...to.attributes]) if (!from.hasAttribute(name)) to.removeAttribute(name);
    for (const { name, value } of from.attributes) if (to.getAttribute(name) !== value) to.setAttribute(name, value);
    const nodes = [...from.childNodes];
    nodes.forEach((node, index) => {
      const current = to.childNodes[index];
      const moved = node.id && document.getElementById(node.id);
      const match = moved && moved.parentNode === to ? moved : current;
      if (match && isSimilar(match, node)) {
        if (match !== current) to.insertBefore(match, current);
        if (node.nodeType === Node.ELEMENT_NODE) update(node, match);
        else if (match.data !== node.data) match.data = node.data;
      } else to.insertBefore(document.importNode(node, true), current || null);
    });
    while (to.childNodes.length > nodes.length) to.lastChild.remove();
  }

  function isSimilar(a, b) {
    return a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");
  }

  function show(page) {
    const focused = document.activeElement;
    for (const part of page.querySelectorAll("[data-live]")) {
      const current = document.getElementById(part.id);
      if (current) update(part, current);
    }
    if (document.title !== page.title) {
      document.title = page.title;
      announcement.textContent = page.title;
    }
    if (focused && focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
  }

  function showState(good, text) {
    live.hidden = false;
    live.classList.toggle("lost", !good);
    if (live.textContent !== text) live.textContent = text;
    if (!good) announcement.textContent = text;
  }

  async function load(address, announce) {
    const number = ++newest;
    clearTimeout(timer);
    try {
      const response = await fetch(address, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(4 * INTERVAL) });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      if (number !== newest) return;
      if (!page.getElementById("clock")) throw new Error(String(response.status));
      if (!response.ok && !announce) showState(false, "removed,");
      else {
        show(page);
        showState(true, "live,");
        const matched = document.querySelector(".matched");
        if (announce) announcement.textContent = matched ? matched.firstChild.textContent.trim() : "All tasks";
      }
    } catch {
      if (number === newest) showState(false, "no response from the exporter,");
    }
    if (number === newest) timer = setTimeout(refresh, INTERVAL);
  }

  function refresh() {
    const selection = getSelection();
    if (document.hidden || (selection && !selection.isCollapsed)) timer = setTimeout(refresh, INTERVAL);
    else load(location.href, false);
  }

  function fillForm(address) {
    if (!form) return;
    for (const field of form.elements) {
      if (field.name && field !== document.activeElement) {
        field.value = address.searchParams.get(field.name) || (field.name === "sort" ? "phase" : "");
      }
    }
  }

  function navigate(address, replace) {
    if (replace) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
    fillForm(address);
    load(address.href, true);
  }

  function addressOfForm() {
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
    navigate(new URL(link.href), false);
  });
  if (form) {
    let typing;
    form.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => navigate(addressOfForm(), true), 250);
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      clearTimeout(typing);
      navigate(addressOfForm(), false);
    });
  }
  addEventListener("popstate", () => {
    fillForm(new URL(location.href));
    load(location.href, true);
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) refresh();
  });
  showState(true, "live,");
  timer = setTimeout(refresh, INTERVAL);
})();
