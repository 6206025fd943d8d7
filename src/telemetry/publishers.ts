import { BoundedMap, Buckets, type Clock } from '../base/index.ts'
import {
  type BridgeStore,
  type DeviceId,
  type DeviceStore,
  type EndpointId,
  type FeedEvent,
  nameOfEndpoint,
  ownerOfBridge,
  type RouterIdentity,
  sameSerial,
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
  clock: Clock
}

/** A decision holds for this time, unless an event ends it sooner. */
const KNOWN_MS = 60_000
const MAX_KNOWN = 10_000
/** Routers of one bridge that are looked for at once, and then in a second. */
const LOOKS = { capacity: 4000, perSecond: 100, maxKeys: 1000 }

/** A decision, and what it was made from as far as that was found. */
interface Decision {
  readonly until: number
  readonly found: Promise<Publisher>
  endpointId?: string
  deviceId?: DeviceId
}

/**
 * Decides which device a router of a bridge is. The topic names the bridge, and the rights of the broker prove it; the
 * identity of the router is the one that the bridge reported under its signature. A device is only one that the server
 * knows, bound to the Endpoint ID of that identity by this bridge: with a certificate that the bridge holds, or with the
 * proof `bridge` and no other bridge that names it.
 */
export class Publishers {
  readonly #deps: PublisherDeps
  readonly #known = new BoundedMap<string, Decision>(MAX_KNOWN)
  readonly #looks: Buckets

  constructor(deps: PublisherDeps) {
    this.#deps = deps
    this.#looks = new Buckets(LOOKS, deps.clock)
  }

  /** Resolves with the device of a router; RefusedMessage. */
  async find(bridgeId: string, router: string): Promise<Publisher> {
    const key = keyOf(bridgeId, router)
    const now = this.#deps.clock.now()
    const known = this.#known.get(key)
    if (known !== undefined && now < known.until) return known.found
    if (this.#looks.left(bridgeId) < 1)
      throw new RefusedMessage('tooMany', 'the bridge names too many routers that are not known yet')
    this.#looks.take(bridgeId, 1)
    const made: Pick<Decision, 'endpointId' | 'deviceId'> = {}
    const found = this.#find(bridgeId, router, made)
    this.#known.set(key, Object.assign(made, { until: now + KNOWN_MS, found }))
    found.catch((error: unknown) => {
      // A database that is away says nothing about the router.
      if (!(error instanceof RefusedMessage)) this.#known.delete(key)
    })
    return found
  }

  /** Forgets the decisions that an event of the feed may change. */
  heed({ type, deviceId, data }: Pick<FeedEvent, 'type' | 'deviceId' | 'data'>): void {
    if (type === 'router.stateChanged') this.#known.delete(keyOf(String(data.bridgeId), String(data.routerId)))
    else if (type === 'bridge.deleted') this.#forget((key) => key.startsWith(`${data.bridgeId}/`))
    else if (type === 'device.bound' || type === 'device.unbound' || type === 'device.deleted')
      this.#forget(
        (_, { deviceId: known, endpointId }) =>
          known === deviceId || (endpointId !== undefined && endpointId === data.endpointId),
      )
  }

  #forget(is: (key: string, known: Decision) => boolean): void {
    for (const [key, known] of this.#known) if (is(key, known)) this.#known.delete(key)
  }

  async #find(bridgeId: string, rowId: string, made: Pick<Decision, 'endpointId' | 'deviceId'>): Promise<Publisher> {
    const { bridges, devices, certificates, clock } = this.#deps
    const row = await bridges.router(bridgeId, rowId)
    const identity = row?.state?.identity
    if (row === undefined || identity === undefined || !row.mqtt)
      throw new RefusedMessage('unknownRouter', 'the bridge has no such router whose row has mqtt and an identity')
    made.endpointId = identity.endpointId
    // It was checked to be an Endpoint ID when the bridge reported it.
    const device = await devices.findByEndpoint(identity.endpointId as EndpointId)
    if (device?.binding === undefined || !sameSerial(device, identity))
      throw new RefusedMessage('notBound', 'no device with this serial number is bound to the Endpoint ID')
    made.deviceId = device.id
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

function keyOf(bridgeId: string, router: string): string {
  return `${bridgeId}/${router}`
}
