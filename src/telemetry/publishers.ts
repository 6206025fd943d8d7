import { BoundedMap, type Clock } from '../base/index.ts'
import {
  type BridgeStore,
  type DeviceId,
  type DeviceStore,
  type EndpointId,
  nameOfEndpoint,
  ownerOfBridge,
  type RouterIdentity,
} from '../domain/index.ts'
import type { CertificateStore } from '../pki/index.ts'
import { RefusedMessage } from './payload.ts'

/** The device that the messages of a router are about. */
export interface Publisher {
  readonly deviceId: DeviceId
  /** The identity of the router as its bridge has reported it over the API. */
  readonly identity: RouterIdentity
}

export interface PublisherDeps {
  bridges: Pick<BridgeStore, 'router' | 'routersOfEndpoints'>
  devices: Pick<DeviceStore, 'findByEndpoint'>
  certificates: Pick<CertificateStore, 'ofName'>
  clock: Pick<Clock, 'now'>
}

/** A decision holds for this time, unless an event ends it sooner. */
const KNOWN_MS = 60_000
const MAX_KNOWN = 10_000

/**
 * Decides which device a router of a bridge is. The topic names the bridge, and the rights of the broker prove it; the
 * identity of the router is the one that the bridge reported under its signature. A device is only one that the server
 * knows, bound to the Endpoint ID of that identity by this bridge: with a certificate that the bridge holds, or with the
 * proof `bridge` and no other bridge that names it.
 */
export class Publishers {
  readonly #deps: PublisherDeps
  readonly #known = new BoundedMap<string, { until: number; found: Promise<Publisher> }>(MAX_KNOWN)

  constructor(deps: PublisherDeps) {
    this.#deps = deps
  }

  /** Resolves with the device of a router; RefusedMessage. */
  find(bridgeId: string, router: string): Promise<Publisher> {
    const key = `${bridgeId}/${router}`
    const now = this.#deps.clock.now()
    const known = this.#known.get(key)
    if (known !== undefined && now < known.until) return known.found
    const found = this.#find(bridgeId, router)
    this.#known.set(key, { until: now + KNOWN_MS, found })
    found.catch((error: unknown) => {
      // A database that is away says nothing about the router.
      if (!(error instanceof RefusedMessage)) this.#known.delete(key)
    })
    return found
  }

  /** Forgets all decisions: bindings or routers have changed. */
  forget(): void {
    this.#known.clear()
  }

  async #find(bridgeId: string, rowId: string): Promise<Publisher> {
    const { bridges, devices, certificates, clock } = this.#deps
    const row = await bridges.router(bridgeId, rowId)
    const identity = row?.state?.identity
    if (row === undefined || identity === undefined || !row.mqtt)
      throw new RefusedMessage('unknownRouter', 'the bridge has no such router whose row has mqtt and an identity')
    // It was checked to be an Endpoint ID when the bridge reported it.
    const device = await devices.findByEndpoint(identity.endpointId as EndpointId)
    if (device?.binding === undefined || device.serial.trim() !== identity.serial.trim())
      throw new RefusedMessage('notBound', 'no device with this serial number is bound to the Endpoint ID')
    const now = clock.now()
    const valid = (await certificates.ofName(nameOfEndpoint(identity.endpointId))).filter(
      ({ revokedAt, notAfter }) => revokedAt === undefined && notAfter > now,
    )
    const publisher = { deviceId: device.id, identity }
    if (valid.some(({ owner }) => owner === ownerOfBridge(bridgeId))) return publisher
    const named = await bridges.routersOfEndpoints([identity.endpointId])
    const isAlone = named.every((other) => other.bridgeId === bridgeId)
    if (valid.length === 0 && device.binding.proof === 'bridge' && isAlone) return publisher
    throw new RefusedMessage('notBound', 'the device is not bound by this bridge')
  }
}
