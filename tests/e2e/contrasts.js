() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const once = (known, key, compute) => (known.has(key) ? known : known.set(key, compute())).get(key);
  const [mixed, grounds] = [new Map(), new Map()];
  const rgb = (text, under) => once(mixed, `${text} on ${under}`, () => {
    canvas.fillStyle = under; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
    return `rgb(${canvas.getImageData(0, 0, 1, 1).data.slice(0, 3).join(",")})`;
  });
  const light = (colour) => {
    const parts = colour.match(/\d+/g).map((part) => part / 255);
    const [r, g, b] = parts.map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => element
    ? once(grounds, element, () => rgb(getComputedStyle(element).backgroundColor, ground(element.parentElement)))
    : "rgb(255,255,255)";
  const found = [];
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || element.closest("script, .visually-hidden, .skip") || !element.getClientRects().length) continue;
    const below = ground(element);
    const [a, b] = [light(rgb(getComputedStyle(element).color, below)), light(below)].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), element.outerHTML.slice(0, 120)]);
  }
  return found.sort((x, y) => x[0] - y[0]);
}
