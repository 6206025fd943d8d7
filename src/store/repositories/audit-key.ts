import type { Log } from '../../base/index.ts'
import { type ChainKey, GENESIS, type SecretBox } from '../../security/index.ts'
import type { Db, Document_ } from '../mongo/mongoose.ts'

const ID = 'auditChain'

/** From which entry on the audit chain is keyed, as a migration or the first start has noted it. */
interface Note {
  keyedFrom: number
  anchor: string
}

/**
 * The key of the audit chain. The place at which the keyed part begins is sealed with the server key at the first start
 * that has one, so that it cannot be moved. A note that is missing or was changed counts as one that says that all
 * entries are keyed: entries without a key then show as broken.
 */
export async function auditKey(db: Db, box: SecretBox, log: Log): Promise<ChainKey> {
  const mac = (text: string) => box.mac('audit chain', text)
  const note = await sealedNote(db, box, log)
  return { ...(note ?? { keyedFrom: 1, anchor: GENESIS }), mac }
}

async function sealedNote(db: Db, box: SecretBox, log: Log): Promise<Note | undefined> {
  const settings = db.collection<Document_>('settings')
  const known = await settings.findOne({ _id: ID })
  if (typeof known?.sealed === 'string') return opened(known.sealed, box, log)
  const note = { keyedFrom: Number(known?.keyedFrom), anchor: String(known?.anchor) }
  const isLater = known !== null && (await db.collection('audit').findOne({ seq: { $gte: note.keyedFrom } })) !== null
  if (known === null || isLater) {
    log.error({}, 'the note where the audit log became keyed is gone; entries from before that show as broken')
    return undefined
  }
  log.info({ ...note }, 'the audit log is keyed with the server key from this entry on')
  await settings.updateOne(
    { _id: ID, sealed: { $exists: false } },
    { $set: { sealed: box.seal(JSON.stringify(note), ID) } },
  )
  return note
}

function opened(sealed: string, box: SecretBox, log: Log): Note | undefined {
  try {
    return JSON.parse(box.open(sealed, ID)) as Note
  } catch (err) {
    log.error({ err }, 'the note where the audit log became keyed was changed; entries from before that show as broken')
    return undefined
  }
}
