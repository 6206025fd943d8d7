import type { OperationsDeps } from '../../src/operations/index.ts'

/** The stores an engine works over. */
export type EnginePorts = Pick<OperationsDeps, 'devices' | 'parameters' | 'operations' | 'instances' | 'audit'>

const NEVER = new Promise<never>(() => undefined)

/**
 * A process that dies right before or right after its n-th call to anything outside of it: nothing after that happens.
 */
export class Mortal {
  calls = 0
  /** Told when it dies at its call. */
  onDeath: () => void = () => undefined
  #dead = false
  readonly #at: number
  readonly #when: 'before' | 'after'

  constructor(at: number, when: 'before' | 'after') {
    this.#at = at
    this.#when = when
  }

  get dead(): boolean {
    return this.#dead
  }

  set dead(dead: boolean) {
    this.#dead = dead
    if (dead) this.onDeath()
  }

  async call<T>(task: () => T | Promise<T>): Promise<T> {
    if (this.dead) return NEVER
    this.calls++
    const last = this.calls === this.#at
    if (last && this.#when === 'before') this.dead = true
    if (this.dead) return NEVER
    const result = await task()
    if (last) this.dead = true
    return this.dead ? NEVER : result
  }

  /** A port whose calls count, except those named: what is no promise cannot be cut. */
  port<T extends object>(target: T, except: readonly string[] = []): T {
    const call = this.call.bind(this)
    return new Proxy(target, {
      get(of, name, self) {
        const member = Reflect.get(of, name, self)
        if (typeof member !== 'function') return member
        if (except.includes(String(name))) return member.bind(of)
        return (...args: unknown[]) => call(() => member.apply(of, args))
      },
    })
  }

  /** Ports whose calls count, by name. */
  ports<T extends EnginePorts>(stores: T): EnginePorts {
    const { devices, parameters, operations, instances, audit } = stores
    return {
      devices: this.port(devices),
      parameters: this.port(parameters),
      operations: this.port(operations),
      instances: this.port(instances),
      audit: this.port(audit),
    }
  }
}
