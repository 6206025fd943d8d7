import { BoundedMap } from '../base/index.ts'
import { MAX_BRIDGES, MAX_ROUTERS } from '../domain/index.ts'

/**
 * Values by bridge and router, as many as a bridge may have routers. A bridge that names ever new routers loses values of
 * its own alone.
 */
export class RouterStates<T> {
  readonly #bridges = new BoundedMap<string, BoundedMap<string, T>>(MAX_BRIDGES)

  get(bridgeId: string, router: string): T | undefined {
    return this.#bridges.get(bridgeId)?.get(router)
  }

  set(bridgeId: string, router: string, value: T): void {
    const routers = this.#bridges.get(bridgeId) ?? new BoundedMap<string, T>(MAX_ROUTERS)
    routers.set(router, value)
    this.#bridges.set(bridgeId, routers)
  }

  delete(bridgeId: string, router: string): void {
    const routers = this.#bridges.get(bridgeId)
    routers?.delete(router)
    if (routers?.size === 0) this.#bridges.delete(bridgeId)
  }
}
