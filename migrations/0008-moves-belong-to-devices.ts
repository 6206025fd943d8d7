import { type Db, type Document_, type Migration, recountPlan } from '../src/store/index.ts'

type Fields = Record<string, unknown>

const OLD_INDEXES = ['planId_1_state_1_nextAt_1', 'planId_1_endedAt_1'] as const
/** States in which a plan had written on the device, and had not brought it back. */
const WRITTEN = [
  'PREPARING',
  'AWAITING_USP',
  'BINDING',
  'VERIFYING',
  'DUAL',
  'RETIRING',
  'ROLLING_BACK',
  'MIGRATED',
  'FAILED',
  'STRANDED',
  'CONFLICT',
]
const TEXT_FACTS = [
  'endpointId',
  'controllerRow',
  'mtpRow',
  'role',
  'certificate',
  'credential',
  'interval',
  'identity',
  'versions',
  'softwareVersion',
  'parity',
  'probe',
  'wrote',
]
const IN_FLIGHT = WRITTEN.slice(0, 7)

/**
 * The snapshot of a device before its migration becomes a document of the device, where it was part of the plan member.
 * Members have typed facts, due times of service time, which begins at zero, and a state of their own between two
 * attempts. Plans have counters and a list of bulk work.
 */
export const migration: Migration = {
  async up(db) {
    await dropIndexes(db)
    await deleteOrphans(db)
    await makeSnapshots(db)
    const now = Date.now()
    const members = of(db, 'planMembers')
    for await (const document of members.find({ cursor: { $exists: true } })) {
      const plan = await of(db, 'plans').findOne({ _id: String(document.planId) })
      const member = converted(document, String(plan?.state ?? ''), now)
      if (member.state !== document.state)
        await of(db, 'devices').updateOne(
          { _id: String(document.deviceId), 'migration.planId': document.planId },
          { $set: { 'migration.state': member.state } },
        )
      const { _id, ...fields } = member
      await members.replaceOne({ _id: document._id }, fields)
    }
    await convertPlans(db)
  },
}

async function dropIndexes(db: Db): Promise<void> {
  const present = await db.listCollections({ name: 'planMembers' }, { nameOnly: true }).toArray()
  if (present.length === 0) return
  const members = db.collection('planMembers')
  for (const index of OLD_INDEXES) if (await members.indexExists(index)) await members.dropIndex(index)
}

/** A start that met the deletion of its plan left members without a plan, and devices that point to them. */
async function deleteOrphans(db: Db): Promise<void> {
  const known = await of(db, 'plans')
    .find({}, { projection: { _id: 1 } })
    .toArray()
  const plans = new Set(known.map(({ _id }) => _id))
  const orphans = (await db.collection('planMembers').distinct('planId')).filter((id) => !plans.has(String(id)))
  for (const planId of orphans) {
    await db.collection('planMembers').deleteMany({ planId })
    await db.collection('devices').updateMany({ 'migration.planId': planId }, { $unset: { migration: '' } })
  }
}

/**
 * One snapshot per device. Where two plans had written on a device, it is that of the plan that the device points to;
 * the other plan has no claim on the device any more.
 */
async function makeSnapshots(db: Db): Promise<void> {
  const [members, snapshots, devices] = [of(db, 'planMembers'), of(db, 'snapshots'), of(db, 'devices')]
  const pointerOf = async (deviceId: string) =>
    (await devices.findOne({ _id: deviceId }))?.migration as { planId?: string } | undefined
  for await (const member of members.find({ state: { $in: WRITTEN }, 'cursor.endpointId': { $type: 'string' } })) {
    const deviceId = String(member.deviceId)
    const known = await snapshots.findOne({ _id: deviceId })
    if (known === null || (await pointerOf(deviceId))?.planId === member.planId) await put(db, member)
  }
  for await (const { _id: deviceId, planId } of snapshots.find({})) {
    const holder = await members.findOne({ _id: `${planId}|${deviceId}` })
    if (holder !== null && (await pointerOf(deviceId))?.planId !== planId)
      await devices.updateOne(
        { _id: deviceId },
        { $set: { migration: { planId, state: holder.state, at: holder.enteredAt } } },
      )
    await members.updateMany(
      { deviceId, planId: { $ne: planId }, state: { $in: WRITTEN }, startedAt: { $exists: true } },
      {
        $set: {
          state: 'CANCELLED',
          reason: { code: 'otherPlan', text: `plan ${planId} has moved this device` },
          endedAt: Date.now(),
        },
      },
    )
  }
}

async function put(db: Db, member: Document_): Promise<void> {
  const cursor = member.cursor as Fields
  const plan = await of(db, 'plans').findOne({ _id: String(member.planId) })
  const { controller } = (plan?.settings ?? {}) as { controller?: Fields }
  const text = (name: string) => (typeof cursor[name] === 'string' ? String(cursor[name]) : '')
  const created = text('created')
    .split(' ')
    .filter((row) => row !== '')
  const row = text('preexisting')
  const values = JSON.parse(text('before') || '[]') as { path: string; value: string }[]
  const mtps = values.flatMap(({ path }) => /^.*\.MTP\.\d+\./.exec(path)?.[0] ?? [])
  const snapshot: Fields = {
    planId: member.planId,
    at: member.startedAt ?? member.enteredAt,
    controller: { endpointId: controller?.endpointId ?? '', host: controller?.host ?? '' },
    slept: text('slept') === 'true',
    trust: {
      role: text('ownRole') !== 'true',
      credential: text('credential') !== '' && !created.includes(text('credential')),
    },
    created,
  }
  if (text('interval') !== '') snapshot.interval = text('interval')
  if (text('certificate') !== '') snapshot.certificate = text('certificate')
  if (row !== '') snapshot.preexisting = { row, mtps: [...new Set(mtps)], values }
  await of(db, 'snapshots').replaceOne({ _id: String(member.deviceId) }, snapshot, { upsert: true })
}

function converted(document: Document_, planState: string, now: number): Document_ {
  const { cursor, nextAt, deadlineAt, lease: _lease, endpointId: _endpointId, waiting, ...rest } = document
  const given = (cursor ?? {}) as Fields
  const open = ['running', 'paused', 'aborting'].includes(planState)
  const state = stateOf(String(document.state), given, open)
  const facts: Fields = {}
  for (const name of TEXT_FACTS) if (typeof given[name] === 'string' && given[name] !== '') facts[name] = given[name]
  if (given.ownRole === 'true') facts.ownRole = true
  if (typeof given.missedAt === 'number') facts.missedAt = given.missedAt
  const then = thenOf(document, given)
  if (then !== undefined && state !== 'MIGRATED') facts.afterwards = then
  const member: Document_ = {
    ...rest,
    state,
    step: '',
    // Everything but the change of the owner may be done twice.
    done: state === 'DUAL' && given['DUAL.owner'] === true ? ['quiet', 'owner'] : [],
    facts: state === 'PREPARING' ? {} : facts,
    visit: Array.isArray(document.history) ? document.history.length : 0,
    enteredMs: Math.min(0, Number(document.enteredAt) - now),
    revision: Number(document.revision) + 1,
  }
  if (state === 'QUEUED') member.waiting = waiting === 'offline' ? 'offline' : 'place'
  else if (state === 'BACKOFF') {
    member.waiting = 'backoff'
    member.dueMs = Math.max(0, Number(nextAt) - now)
  } else if (state === 'UNASSESSED' || state === 'ELIGIBLE' || IN_FLIGHT.includes(state)) {
    if (waiting !== undefined) member.waiting = waiting
    member.dueMs = 0
    if (typeof deadlineAt === 'number') member.deadlineMs = Math.max(0, deadlineAt - now)
  } else member.endedAt = document.endedAt ?? document.enteredAt
  return member
}

function stateOf(state: string, cursor: Fields, open: boolean): string {
  if (state === 'ROLLED_BACK' && cursor.aborted !== true && open) return 'BACKOFF'
  return state === 'REGRESSED' && open ? 'UNASSESSED' : state
}

function thenOf(document: Document_, cursor: Fields): string | undefined {
  if (cursor.aborted === true) return 'stop'
  const history = (Array.isArray(document.history) ? document.history : []) as { event?: string; code?: string }[]
  const failure = history.findLast(({ event }) => event === 'fail')
  if (failure?.code === 'offline') return 'again'
  if (cursor.retryable === true) return 'retry'
  return cursor.retryable === false ? 'quarantine' : undefined
}

async function convertPlans(db: Db): Promise<void> {
  const plans = of(db, 'plans')
  for await (const plan of plans.find({ 'settings.silentAfterMs': { $exists: false } })) {
    const sweep = plan.sweep as { kind: string; actor: string; after: string } | undefined
    const bulk = [
      ...(sweep === undefined ? [] : [sweep]),
      ...(plan.state === 'aborting' ? [{ kind: 'abort', actor: plan.abortedBy ?? 'planner', after: '' }] : []),
    ]
    await plans.updateOne(
      { _id: plan._id },
      {
        $set: {
          'settings.silentAfterMs': 86_400_000,
          'settings.onSilent': 'report',
          ...(bulk.length === 0 ? {} : { bulk }),
        },
        $unset: { sweep: '', abortedBy: '', gateSince: '' },
        $inc: { revision: 1 as never },
      },
    )
    await recountPlan(db, plan._id)
    // A round is held until a service time from now on.
    await of(db, 'locks').updateOne({ _id: `plan|${plan._id}` }, { $unset: { by: '', until: '', pacing: '' } })
  }
}

function of(db: Db, name: string) {
  return db.collection<Document_>(name)
}
