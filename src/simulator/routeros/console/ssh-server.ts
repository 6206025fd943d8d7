import { createHash, generateKeyPairSync } from 'node:crypto'
import type { Socket } from 'node:net'
import ssh2, { type Connection } from 'ssh2'
import type { RouterState, SessionUser } from '../state/router-state.ts'
import { runLine } from './run-line.ts'

/** The console of a router over SSH: a command for each channel. Settings of the console behind `+` are passed over. */
export class SshServer {
  /** SHA-256 of the host key, as OpenSSH shows it. */
  readonly hostKey: string
  readonly #server: ssh2.Server
  readonly #clients = new Set<Connection>()

  constructor(router: RouterState) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const key = privateKey.export({ type: 'sec1', format: 'pem' })
    const parsed = ssh2.utils.parseKey(key)
    if (parsed instanceof Error) throw parsed
    const blob = parsed.getPublicSSH()
    this.hostKey = `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
    this.#server = new ssh2.Server({ hostKeys: [key], ident: 'ROSSSH' }, (client, { ip }) => {
      this.#clients.add(client)
      client.on('close', () => this.#clients.delete(client))
      // A client that breaks the protocol ends its own connection.
      client.on('error', () => undefined)
      serve(router, client, ip)
    })
  }

  /** Takes a connection that a listener of the router has accepted. */
  take(socket: Socket): void {
    this.#server.injectSocket(socket)
  }

  /** Ends all connections. */
  drop(): void {
    for (const client of this.#clients) client.end()
  }
}

function serve(router: RouterState, client: Connection, address: string): void {
  let user: SessionUser | undefined
  let logout: () => void = () => undefined
  client.on('authentication', (context) => {
    const name = context.username.replace(/\+.*$/, '')
    const given = context.method === 'password' ? context.password : undefined
    user = given === undefined ? undefined : router.userOf(name, address, (password) => password === given)
    if (user?.policies.has('ssh') === true) context.accept()
    else context.reject(['password'])
  })
  client.on('ready', () => {
    if (user !== undefined) logout = router.loggedIn(user.name, address, 'ssh')
  })
  client.on('close', () => logout())
  client.on('session', (accept) => {
    accept().on('exec', (acceptExec, _reject, { command }) => {
      const channel = acceptExec()
      let stop: () => void = () => undefined
      channel.on('close', () => stop())
      if (user === undefined || router.faults.isSilent === true) return
      const written = runLine(router, user, command, (cut) => {
        stop = cut
      })
      written.then(
        (output) => {
          channel.write(output)
          channel.exit(0)
          channel.end()
        },
        () => channel.close(),
      )
    })
  })
}
