/**
 * Notification attributes (TR-069 A.3.2.4), and the parameters under them that have changed since the last delivered
 * Inform.
 */
export class Notifications {
  readonly #forced: ReadonlySet<string>
  #attributes = new Map<string, number>()
  #changed = new Set<string>()

  /** `forced` parameters are active whatever the ACS sets. */
  constructor(forced: readonly string[]) {
    this.#forced = new Set(forced)
  }

  /** Returns 0 off, 1 passive, 2 active. */
  get(path: string): number {
    return this.#forced.has(path) ? 2 : (this.#attributes.get(path) ?? 0)
  }

  /** Sets an attribute. Forced parameters stay active. */
  set(path: string, notification: number): void {
    if (this.#forced.has(path)) return
    if (notification === 0) this.#attributes.delete(path)
    else this.#attributes.set(path, notification)
  }

  /**
   * Notes a change that the ACS did not make. Returns `active` when it is reported at once, `passive` with the next
   * Inform, undefined when it is not reported.
   */
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

  /** Changes are kept until a reboot; attributes survive it. */
  boot(): void {
    this.#changed.clear()
  }

  /** Restores factory settings. */
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
