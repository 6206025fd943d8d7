import { createHash } from 'node:crypto'
import type { RouterRow } from '../router-os.ts'
import { RouterOsError } from '../router-os-error.ts'
import type { Wire } from './node-routeros.ts'

export interface Account {
  user: string
  password: string
  /** True allows the MD5 login of RouterOS before 6.43, which shows a hash of the password to whoever listens. */
  legacyLogin?: boolean
}

const CHALLENGE = /^[0-9a-f]{32}$/i
const UNSENDABLE = /[\x00-\x1f\x7f]|\p{Surrogate}/u
const MAX_BYTES = 255

/**
 * Logs in by name and password (RouterOS manual, API, login; since 6.43), or by the challenge of earlier versions where
 * that is allowed. RouterOsError `login`; it never settles when the connection ends first.
 */
export async function login(wire: Wire, account: Account): Promise<void> {
  const { user, password, legacyLogin = false } = account
  for (const text of [user, password])
    if (UNSENDABLE.test(text) || Buffer.byteLength(text) > MAX_BYTES)
      throw refused('the user name or the password has a character that cannot be sent, or is too long', false)
  const challenge = await ask(wire, [`=name=${user}`, `=password=${password}`])
  if (challenge === undefined) return
  if (!legacyLogin)
    throw refused(
      'the router asks for the MD5 login of RouterOS before 6.43, which is off; upgrade it, or allow the legacy login',
    )
  if (!CHALLENGE.test(challenge)) throw refused('the router sent a challenge that is none')
  const hash = createHash('md5').update('\0').update(password).update(Buffer.from(challenge, 'hex')).digest('hex')
  if ((await ask(wire, [`=name=${user}`, `=response=00${hash}`])) !== undefined)
    throw refused('the router did not accept the MD5 login')
}

/** Sends one `/login`; resolves with the challenge of the router, or undefined when it accepted the account. */
function ask(wire: Wire, words: string[]): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const traps: RouterRow[] = []
    wire.send(['/login', ...words], {
      onRow: () => undefined,
      onTrap: (trap) => traps.push(trap),
      onDone: (ret) => {
        const [first] = traps
        if (first === undefined) resolve(ret)
        else reject(refused(`the router refuses the account: ${(first.message ?? 'without a reason').slice(0, 200)}`))
      },
    })
  })
}

function refused(message: string, sent = true): RouterOsError {
  return new RouterOsError('login', message, { sent })
}
