/** Nodes that stay while what they show changes: focus, selection and scroll position outlive every update. */

/**
 * The element of the page with an id.
 * @template {HTMLElement} Kind
 * @param {string} id
 * @param {new () => Kind} [kind]
 * @returns {Kind}
 */
export function byId(id, kind) {
  const found = document.getElementById(id);
  if (!found || (kind && !(found instanceof kind))) throw new Error(`the page has no ${id}`);
  return /** @type {Kind} */ (found);
}

/**
 * Let an element show a text; nothing happens where it does already.
 * @param {Element} element
 * @param {string} text
 */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Let a list have one child for each item, in order. Children are known by key and updated in place.
 * @template Item
 * @template {Element & {update?: (item: Item) => void}} Child
 * @param {Element} list
 * @param {Item[]} items
 * @param {(item: Item) => string} keyOf
 * @param {(item: Item) => Child} create makes the child of an item; its `update` shows what has changed
 */
export function fill(list, items, keyOf, create) {
  const focused = document.activeElement;
  const known = new Map([...list.children].map((child) => [child.getAttribute("data-key") ?? "", child]));
  let next = list.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    const child = /** @type {Child} */ (known.get(key) ?? create(item));
    known.delete(key);
    child.setAttribute("data-key", key);
    child.update?.(item);
    if (child === next) next = child.nextElementSibling;
    else list.insertBefore(child, next);
  }
  for (const child of known.values()) child.remove();
  if (focused instanceof HTMLElement && focused !== document.activeElement && focused.isConnected) {
    focused.focus({ preventScroll: true });
  }
}

/**
 * An element that knows how to show an item.
 * @template {Element} Kind
 * @template Item
 * @param {Kind} element
 * @param {(item: Item) => void} update
 * @returns {Kind & {update: (item: Item) => void}}
 */
export function updating(element, update) {
  return Object.assign(element, { update });
}
