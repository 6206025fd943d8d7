/** Notification attributes (TR-069 A.3.2.4) and the parameters that changed under them since the ACS last heard. */
export class Notifications {
  readonly #forced: ReadonlySet<string>
  #attributes = new Map<string, number>()
  #changed = new Set<string>()

  /** `forced` are active whatever anybody sets. */
  constructor(forced: readonly string[]) {
    this.#forced = new Set(forced)
  }

  /** 0 off, 1 passive, 2 active. */
  get(path: string): number {
    return this.#forced.has(path) ? 2 : (this.#attributes.get(path) ?? 0)
  }

  /** Forced ones stay active: a request for less is ignored. */
  set(path: string, notification: number): void {
    if (this.#forced.has(path)) return
    if (notification === 0) this.#attributes.delete(path)
    else this.#attributes.set(path, notification)
  }

  /** A value changed, not by the ACS; answers whether anybody is to hear: at once, or with the next Inform. */
  note(path: string): 'active' | 'passive' | undefined {
    const notification = this.get(path)
    if (notification === 0) return undefined
    this.#changed.add(path)
    return notification === 2 ? 'active' : 'passive'
  }

  changed(): string[] {
    return [...this.#changed]
  }

  delivered(paths: readonly string[]): void {
    for (const path of paths) this.#changed.delete(path)
  }

  /** Changes are kept until a reboot only; attributes outlive it. */
  boot(): void {
    this.#changed.clear()
  }

  /** Factory settings. */
  reset(): void {
    this.#attributes.clear()
    this.#changed.clear()
  }

  save(): [string, number][] {
    return [...this.#attributes]
  }

  load(attributes: readonly [string, number][]): void {
    this.#attributes = new Map(attributes)
  }
}
