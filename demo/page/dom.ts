type Child = Node | string | undefined
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

/** An element with attributes (`true` is an empty one, `false` and `undefined` none) and children. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value)
  element.append(...children.filter((child) => child !== undefined))
  return element
}

export function setAttribute(
  element: Element,
  name: string,
  value: string | number | boolean | undefined,
): void {
  if (value === undefined || value === false) element.removeAttribute(name)
  else element.setAttribute(name, value === true ? '' : String(value))
}

/** Writes only what differs, so that nothing is announced or laid out again for nothing. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

/** The element of the page's own markup with this id. */
export function byId(id: string): HTMLElement {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`The page has no element "${id}"`)
  return element
}

/** A button that says what it does in `data-action`. */
export function button(
  action: string,
  label: string,
  options: { readonly look?: 'primary' | 'plain' | 'quiet'; readonly onClick?: () => void } = {},
): HTMLButtonElement {
  const element = h(
    'button',
    { type: 'button', class: `button ${options.look ?? 'plain'}`, 'data-action': action },
    label,
  )
  if (options.onClick !== undefined) element.addEventListener('click', options.onClick)
  return element
}

/** Focuses what is no control, such as a heading, without scrolling. */
export function focusOn(element: HTMLElement): void {
  if (!element.hasAttribute('tabindex') && !element.matches('a, button, input, select, textarea'))
    element.tabIndex = -1
  element.focus({ preventScroll: true })
}
