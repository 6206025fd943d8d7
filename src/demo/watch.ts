import { allDevices, type GroupMigration } from './answers.ts'
import type { ApiClient } from './api-client.ts'
import { expectationOf, misplaced, type SimulatedSummary } from './expectations.ts'
import { normalizedLines } from './normalized.ts'
import { PER_DEVICE_MS } from './prepare.ts'
import { type GroupRow, renderLine, renderTable } from './table.ts'

const ONCE_TIMEOUT_MS = 900_000

async function readRows(api: ApiClient, groupIds: Map<string, string>): Promise<{ rows: GroupRow[]; state: string }> {
  let state = ''
  const rows: GroupRow[] = []
  for (const [name, id] of groupIds) {
    const status = await api.get<GroupMigration>(`/groups/${id}/migration`)
    const row: GroupRow = {
      name,
      devices: status.devices,
      cwmp: status.protocols.cwmp,
      usp: status.protocols.usp,
      states: status.plan?.states ?? {},
      failures: [],
    }
    if (status.plan !== undefined) {
      state = status.plan.state
      row.ratePerMinute = status.plan.rate.lastMinute
      row.failures = status.plan.failures.map((failure) => ({
        reason: `${failure.state}: ${failure.text}`,
        count: failure.count,
      }))
      row.next = `${status.plan.next} (plan is ${status.plan.state})`
    }
    rows.push(row)
  }
  return { rows, state }
}

/** Shows the groups until `stopping`, or with `onlyOnce` until the plan has ended; returns the exit code. */
export async function watch(
  api: ApiClient,
  groupIds: Map<string, string>,
  planId: string,
  simulated: SimulatedSummary[],
  onlyOnce: boolean,
  stopping: () => boolean,
): Promise<number> {
  const live = process.stdout.isTTY === true
  const begun = Date.now()
  let drawn = 0
  let last = ''
  let reported = false
  while (!stopping()) {
    const { rows, state } = await readRows(api, groupIds)
    if (live) {
      const lines = renderTable(rows, process.stdout.columns ?? 100)
      const text = lines.join('\n')
      // The same table is not drawn again below the report.
      if (text !== last) {
        process.stdout.write(`${drawn > 0 ? `\u001b[${drawn}A\u001b[J` : ''}${text}\n`)
        drawn = lines.length
        last = text
      }
    } else {
      const line = renderLine(rows)
      if (line !== last) console.log(`${Math.round((Date.now() - begun) / 1000)} s  ${line}`)
      last = line
    }
    if (state === 'finished' && !reported) {
      reported = true
      drawn = 0
      const code = await report(api, rows, simulated, live)
      if (onlyOnce) return code
      console.log('\nThe server and the fleet go on; Ctrl-C stops them, and the next start goes on from here.')
    }
    if (
      onlyOnce &&
      (/^(paused|aborted)$/.test(state) || Date.now() - begun > ONCE_TIMEOUT_MS + simulated.length * PER_DEVICE_MS)
    ) {
      console.error(`the plan is ${state} and not finished`)
      await report(api, rows, simulated, live)
      return 1
    }
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
  return planId === '' ? 1 : 0
}

/** Returns the reason for which some devices stay on CWMP although all is well. */
function staying(simulated: SimulatedSummary[]): string {
  const stay = simulated.filter(
    (device) => device.kind === 'dualStack' && expectationOf(device).owner === 'cwmp',
  ).length
  return stay === 0 ? '' : `${stay} have a scripted fault that no retry mends; they stay on CWMP and work.`
}

/** Prints the end of the migration; 0 when every device is where it should be, else 1. */
async function report(api: ApiClient, rows: GroupRow[], simulated: SimulatedSummary[], live: boolean): Promise<number> {
  if (!live) console.log(renderTable(rows, 140).join('\n'))
  const devices = new Map(
    (await allDevices(api)).map((device) => [device.id, { owner: device.owner, state: device.migration?.state }]),
  )
  const wrong = misplaced(simulated, devices)
  for (const line of wrong.slice(0, 20)) console.error(line)
  console.log(
    wrong.length === 0
      ? `\nFinished: every one of ${simulated.length} devices is where it should be. ${staying(simulated)}`
      : `\nFinished, but ${wrong.length} devices are not where they should be.`,
  )
  const lines = await normalizedLines(api, live ? (process.stdout.columns ?? 100) : 140)
  if (lines.length > 0) console.log(['\nThe same names on every vendor, read through the API:', ...lines].join('\n'))
  return wrong.length === 0 ? 0 : 1
}
