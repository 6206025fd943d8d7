import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { takeStep } from '../basis/faults.ts'
import { Trap } from '../basis/trap.ts'
import { dispatch } from '../commands/dispatch.ts'
import type { RouterState, SessionUser } from '../state/router-state.ts'
import { Outlet } from '../wire/outlet.ts'
import { type ApiRequest, readRequest } from '../wire/request.ts'
import { SentenceReader } from '../wire/words.ts'
import { RunningCommand } from './running.ts'

const BEFORE_LOGIN = { word: 1024, sentence: 4096 }
const AFTER_LOGIN = { word: 128 * 1024, sentence: 512 * 1024 }
const MAX_FAILURES = 5

/** One connection of a client to the API of a router. */
export class ApiSession {
  readonly #router: RouterState
  readonly #socket: Socket
  readonly #outlet: Outlet
  readonly #reader = new SentenceReader(BEFORE_LOGIN)
  readonly #running = new Set<RunningCommand>()
  readonly #via: string
  #user: SessionUser | undefined
  #challenge: Buffer | undefined
  #failures = 0
  #logout: () => void = () => undefined

  /** `onClose` is called once the connection is over. */
  constructor(router: RouterState, socket: Socket, via: string, onClose: (session: ApiSession) => void) {
    this.#router = router
    this.#socket = socket
    this.#via = via
    this.#outlet = new Outlet(socket, router.faults)
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#read(chunk))
    // Its end follows.
    socket.on('error', () => undefined)
    socket.once('close', () => {
      this.#closed()
      onClose(this)
    })
  }

  /** Ends the connection, or leaves it without any further word. */
  drop(by: 'fin' | 'rst' | 'silence'): void {
    for (const command of this.#running) command.stop()
    this.#running.clear()
    if (by === 'silence') this.#outlet.mute()
    else this.#outlet.drop(by)
  }

  /** The connection is cut, whatever it is doing. */
  destroy(): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    if (this.#router.faults.isSilent === true) return
    try {
      for (const words of this.#reader.push(chunk)) {
        if (this.#socket.destroyed || this.#socket.writableEnded) return
        this.#router.onSentence(words)
        this.#handle(words)
      }
    } catch {
      // A stream that breaks the framing has no next sentence.
      this.#socket.destroy()
    }
  }

  #handle(words: string[]): void {
    const request = readRequest(words)
    const command = new RunningCommand(request, this.#outlet, this.#router, (ended) => this.#running.delete(ended))
    if (request.path === '/login') return this.#login(request, command)
    if (this.#user === undefined && request.path !== '#') return command.fatal('not logged in')
    if (request.path === '#') return command.done()
    if (request.path === '/quit') return command.fatal('session terminated on request')
    if (request.path === '/cancel') return this.#cancel(request, command)
    this.#running.add(command)
    this.#run(command, request)
  }

  #run(command: RunningCommand, request: ApiRequest): void {
    const { faults, clock } = this.#router
    const user = this.#user
    if (user === undefined) return
    const act = takeStep(faults, request.path)
    if (act === 'silence') return
    if (act === 'fin' || act === 'rst') return this.drop(act)
    if (typeof act === 'object')
      return 'trap' in act ? command.refuse(new Trap(act.trap, act.category)) : command.fatal(act.fatal)
    const run = () => {
      if (act !== undefined) command.mute()
      dispatch({ router: this.#router, user, request, reply: command })
      if (act === 'doThenFin') this.drop('fin')
      if (act === 'doThenRst') this.drop('rst')
    }
    if (faults.answerDelayMs === undefined) run()
    else command.onCancel(clock.after(faults.answerDelayMs, run))
  }

  /** Order of a cancelled command: its trap, the end of the cancel, its own end. */
  #cancel(request: ApiRequest, command: RunningCommand): void {
    const tag = request.args.get('tag') ?? request.args.get('.tag')
    const meant = [...this.#running].filter((one) => tag === undefined || one.tag === tag)
    for (const one of meant) one.interrupt()
    command.done()
    for (const one of meant) one.done()
  }

  #login(request: ApiRequest, command: RunningCommand): void {
    const router = this.#router
    const name = request.args.get('name')
    if (name === undefined) {
      if ((router.faults.legacyLogin ?? 'reject') === 'off') return this.#refuse(command)
      this.#challenge = Buffer.from(router.random.bytes(16))
      return command.done(this.#challenge.toString('hex'))
    }
    const user = router.userOf(name, this.#socket.remoteAddress ?? '', (password) => this.#fits(request, password))
    if (user === undefined || !user.policies.has('api')) return this.#refuse(command)
    this.#user = user
    this.#reader.bounds = AFTER_LOGIN
    this.#logout()
    this.#logout = router.loggedIn(user.name, this.#socket.remoteAddress ?? '', this.#via)
    command.done()
  }

  #fits(request: ApiRequest, password: string): boolean {
    const response = request.args.get('response')
    if (response === undefined) return request.args.get('password') === password
    const challenge = this.#challenge
    this.#challenge = undefined
    if (challenge === undefined || this.#router.faults.legacyLogin !== 'accept') return false
    const digest = createHash('md5')
      .update(Buffer.from([0]))
      .update(password)
      .update(challenge)
      .digest('hex')
    return response === `00${digest}`
  }

  #refuse(command: RunningCommand): void {
    if (++this.#failures >= MAX_FAILURES) return command.fatal('too many commands before login')
    command.refuse(new Trap('invalid user name or password (6)'))
  }

  #closed(): void {
    for (const command of this.#running) command.stop()
    this.#running.clear()
    this.#logout()
  }
}
