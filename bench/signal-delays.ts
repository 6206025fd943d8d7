import { BridgeChild } from './bridge-child.ts'
import type { ControllerLoad } from './controller-load.ts'
import type { HostedRouters } from './hosted-routers.ts'
import { pause } from './router-load.ts'
import type { World } from './world.ts'

/** A client that is heard below -75 dBm, as a row of Device.LocalAgent.Threshold. */
const THRESHOLDS = 'Device.LocalAgent.Threshold.'
const THRESHOLD = {
  ReferencePath: 'Device.WiFi.AccessPoint.*.AssociatedDevice.*.',
  ThresholdParam: 'SignalStrength',
  ThresholdOperator: 'Fall',
  ThresholdValue: '-75',
  Enable: 'true',
}
const STRONG = -60
const WEAK = -82
const FEED_ROUTERS = 10
const LIMIT_MS = 60_000
/** Two looks at a router, and the first one after a subscription. */
const SEEN_MS = 5000

/** Milliseconds from a signal that falls to its Notify at the Controller, for each of the first routers. */
export async function notifyDelays(
  routers: HostedRouters,
  controller: ControllerLoad,
  endpointIds: readonly string[],
): Promise<number[]> {
  const add = (endpointId: string, obj_path: string, values: Record<string, string>) =>
    controller.request(endpointId, 'add', {
      allow_partial: false,
      create_objs: [{ obj_path, param_settings: settings(values) }],
    })
  const seen = new Map<string, number>()
  controller.onNotify = (endpointId, { event }) => {
    if (event?.event_name === 'Triggered!') seen.set(endpointId, Date.now())
  }
  for (const [index, endpointId] of endpointIds.entries()) {
    await routers.signal(index, STRONG)
    await add(endpointId, THRESHOLDS, THRESHOLD)
    const subscription = { ID: 'bench', NotifType: 'Event', ReferenceList: THRESHOLDS, Enable: 'true' }
    await add(endpointId, 'Device.LocalAgent.Subscription.', subscription)
  }
  await pause(SEEN_MS)
  const delays: number[] = []
  for (const [index, endpointId] of endpointIds.entries()) {
    seen.delete(endpointId)
    const at = await routers.signal(index, WEAK)
    await until(() => seen.has(endpointId), `${endpointId} did not tell of a signal that fell`)
    delays.push((seen.get(endpointId) ?? 0) - at)
  }
  return delays
}

/** Milliseconds from a signal that falls to its event in the feed of a server, for each router of a bridge of its own. */
export async function feedDelays(world: World, routers: HostedRouters, folder: string): Promise<number[]> {
  const flags = ['--controller-id', world.endpointId, '--usp-port', String(world.uspPort), '--usp-tls', 'false']
  const bridge = await BridgeChild.start(folder, routers.table(FEED_ROUTERS), flags)
  const follow = new AbortController()
  try {
    const ids = await onboarded(world)
    const ask = (id: string, request: object) =>
      world.api.send(`POST`, `/devices/${encodeURIComponent(id)}/operations?wait=30s`, request)
    for (const [index, id] of ids.entries()) {
      await routers.signal(index, STRONG)
      await ask(id, { verb: 'add', object: THRESHOLDS, values: THRESHOLD })
      await ask(id, { verb: 'subscribe', id: 'bench', notifType: 'Event', paths: [THRESHOLDS], enable: true })
    }
    const seen = await followFeed(world, follow.signal)
    await pause(SEEN_MS)
    const delays: number[] = []
    for (const [index, id] of ids.entries()) {
      seen.delete(id)
      const at = await routers.signal(index, WEAK)
      await until(() => seen.has(id), `the feed has no event of ${id}`)
      delays.push((seen.get(id) ?? 0) - at)
    }
    return delays
  } finally {
    follow.abort()
    await bridge.stop()
  }

  /** The devices in the order of the routers. */
  async function onboarded({ api }: World): Promise<string[]> {
    let ids: string[] = []
    await until(async () => {
      const { items } = await api.get<{ items: { id: string; serial: string; usp?: { onboardedFor?: string } }[] }>(
        '/devices?limit=1000&fields=serial,usp',
      )
      ids = routers.all.slice(0, FEED_ROUTERS).flatMap(({ serial }) => {
        const found = items.find((device) => device.serial === serial)
        return found?.usp?.onboardedFor === undefined ? [] : found.id
      })
      return ids.length === FEED_ROUTERS
    }, 'not all routers became devices')
    return ids
  }
}

/** Reads the stream of events; returns the times at which a threshold of a device was crossed, as they come. */
async function followFeed({ apiPort, key }: World, signal: AbortSignal): Promise<Map<string, number>> {
  const seen = new Map<string, number>()
  const response = await fetch(`http://127.0.0.1:${apiPort}/api/v1/events/stream?type=device.notified`, {
    headers: { authorization: `Bearer ${key}` },
    signal,
  })
  const read = async () => {
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? [])
      for (const [, data = '{}'] of chunk.matchAll(/^data: ?(.*)$/gm)) {
        if (!data.includes('Triggered!')) continue
        const id = /"deviceId":"([^"]+)"/.exec(data)?.[1]
        if (id !== undefined && !seen.has(id)) seen.set(id, Date.now())
      }
  }
  read().catch(() => undefined)
  return seen
}

function settings(values: Record<string, string>): { param: string; value: string; required: boolean }[] {
  return Object.entries(values).map(([param, value]) => ({ param, value, required: true }))
}

async function until(isTrue: () => boolean | Promise<boolean>, otherwise: string): Promise<void> {
  for (const end = Date.now() + LIMIT_MS; !(await isTrue()); await pause(20))
    if (Date.now() > end) throw new Error(otherwise)
}
