// A page as a function of what is known: h() describes elements, render() changes only what differs.
// Elements stay what they are as long as their tag and key do, so focus, scroll and selection survive.

const SVG = "http://www.w3.org/2000/svg";

export function h(tag, props, ...children) {
  const { key, ...rest } = props ?? {};
  return { tag, key, props: rest, children: flat(children) };
}

function flat(children, into = []) {
  for (const child of children) {
    if (Array.isArray(child)) flat(child, into);
    else if (child !== null && child !== undefined && child !== false && child !== true) {
      into.push(typeof child === "object" ? child : { text: String(child) });
    }
  }
  return into;
}

export function render(parent, ...nodes) {
  patchChildren(parent, flat(nodes), parent.namespaceURI === SVG);
}

function fits(dom, node) {
  if (node.text !== undefined) return dom.nodeType === Node.TEXT_NODE;
  return dom.vnode !== undefined && dom.vnode.tag === node.tag && dom.vnode.key === node.key;
}

function patchChildren(parent, nodes, inSvg) {
  const keyed = new Map();
  for (const child of parent.childNodes) {
    if (child.vnode?.key !== undefined) keyed.set(child.vnode.tag + child.vnode.key, child);
  }
  let place = parent.firstChild;
  for (const node of nodes) {
    let dom = node.key === undefined ? place : keyed.get(node.tag + node.key);
    if (dom && fits(dom, node)) {
      if (dom === place) place = place.nextSibling;
      else parent.insertBefore(dom, place);
      patch(dom, node, inSvg);
    } else {
      parent.insertBefore(create(node, inSvg), place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function create(node, inSvg) {
  if (node.text !== undefined) return document.createTextNode(node.text);
  const isSvg = inSvg || node.tag === "svg";
  const dom = isSvg ? document.createElementNS(SVG, node.tag) : document.createElement(node.tag);
  dom.vnode = { tag: node.tag, key: node.key, props: {} };
  patch(dom, node, inSvg);
  node.props.ref?.(dom);
  return dom;
}

function patch(dom, node, inSvg) {
  if (node.text !== undefined) {
    if (dom.data !== node.text) dom.data = node.text;
    return;
  }
  const before = dom.vnode.props;
  for (const name in before) if (!(name in node.props)) set(dom, name, before[name], undefined);
  // What limits a value, such as the options of a selection, comes before the value.
  patchChildren(dom, node.children, inSvg || node.tag === "svg");
  for (const name in node.props) set(dom, name, before[name], node.props[name]);
  dom.vnode = { tag: node.tag, key: node.key, props: node.props };
}

function set(dom, name, before, value) {
  if (name === "ref") return;
  if (name.startsWith("on")) {
    if (before !== value) dom[name] = value ?? null;
  } else if (name === "style") {
    for (const key in { ...before, ...value }) {
      if (before?.[key] !== value?.[key]) dom.style.setProperty(key, value?.[key] ?? "");
    }
  } else if (name === "value") {
    if (dom.value !== value && document.activeElement !== dom) dom.value = value ?? "";
  } else if (before !== value) {
    if (value === undefined || value === null || value === false) dom.removeAttribute(name);
    else dom.setAttribute(name, value === true ? "" : value);
  }
}
