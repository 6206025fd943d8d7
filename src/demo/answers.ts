import type { ApiClient } from './api-client.ts'

/** A page of a list of the API. */
export interface Page<T> {
  items: T[]
  next?: string
}

/** The parts of a group status that the demo shows. */
export interface GroupMigration {
  devices: number
  protocols: { cwmp: number; usp: number }
  plan?: {
    planId: string
    state: string
    states: Record<string, number>
    rate: { lastMinute: number }
    failures: { state: string; text: string; count: number }[]
    next: string
  }
}

/** The parts of a device that the demo reads. */
export interface DemoDevice {
  id: string
  owner: string
  migration?: { state: string }
  readiness?: { class: string }
  cwmp?: { discoveredFor?: string }
  usp?: { onboardedFor?: string }
}

/** Returns all devices, page by page. */
export async function allDevices(api: ApiClient): Promise<DemoDevice[]> {
  const devices: DemoDevice[] = []
  let cursor = ''
  do {
    const page = await api.get<Page<DemoDevice>>(
      `/devices?limit=1000&fields=owner,migration,readiness,cwmp,usp${cursor === '' ? '' : `&cursor=${cursor}`}`,
    )
    devices.push(...page.items)
    cursor = page.next ?? ''
  } while (cursor !== '')
  return devices
}
