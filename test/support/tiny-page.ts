import { runInNewContext } from 'node:vm'

type Part = TinyElement | string

/** As much of an element as the page of the API uses. */
export class TinyElement {
  readonly tag: string
  readonly dataset: Record<string, string> = {}
  readonly listeners = new Map<string, (event: unknown) => unknown>()
  parts: Part[] = []
  hidden = false
  className = ''
  value = ''
  href = ''

  constructor(tag: string) {
    this.tag = tag
  }

  get textContent(): string {
    return this.parts.map((part) => (typeof part === 'string' ? part : part.textContent)).join('')
  }

  set textContent(text: string) {
    this.parts = [String(text)]
  }

  append(...parts: Part[]): void {
    this.parts.push(...parts)
  }

  replaceChildren(...parts: Part[]): void {
    this.parts = parts
  }

  addEventListener(name: string, listener: (event: unknown) => unknown): void {
    this.listeners.set(name, listener)
  }

  /** Resolves when what listens is done. */
  async fire(name: string, event: unknown = {}): Promise<void> {
    await this.listeners.get(name)?.(event)
  }

  focus(): void {
    this.dataset.focused = 'yes'
  }

  /** All elements below with this tag. */
  all(tag: string): TinyElement[] {
    return this.parts.flatMap((part) =>
      typeof part === 'string' ? [] : [...(part.tag === tag ? [part] : []), ...part.all(tag)],
    )
  }
}

/** Runs a script as a page at `address` would, with elements by these ids. */
export function runPage(script: string, address: string, ids: string[]): Record<string, TinyElement> {
  const elements = Object.fromEntries(ids.map((id) => [id, new TinyElement('div')]))
  const { origin, pathname, hash } = new URL(address)
  const kept = new Map<string, string>()
  runInNewContext(script, {
    document: {
      createElement: (tag: string) => new TinyElement(tag),
      getElementById: (id: string) => elements[id],
      // `section > details`, the one selector that the page uses.
      querySelectorAll: () =>
        Object.values(elements)
          .flatMap((element) => element.all('section'))
          .flatMap((section) => section.parts)
          .filter((part) => part instanceof TinyElement && part.tag === 'details'),
    },
    location: { origin, pathname, hash },
    history: { replaceState: () => undefined },
    sessionStorage: {
      getItem: (name: string) => kept.get(name) ?? null,
      setItem: (name: string, value: string) => kept.set(name, value),
      removeItem: (name: string) => kept.delete(name),
    },
    URLSearchParams,
    fetch: (path: string, init: RequestInit) => fetch(new URL(path, address), init),
  })
  return elements
}
