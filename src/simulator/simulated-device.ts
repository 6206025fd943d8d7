import { X509Certificate } from 'node:crypto'
import type { Clock, Log, Random } from '../base/index.ts'
import {
  Cpe,
  type CpeCounters,
  type CpeState,
  type CwmpVersion,
  httpTransport,
  type RootObject,
  TransferFault,
} from '../cwmp/index.ts'
import type { InstanceTree, TreeSnapshot, TreeView } from '../tree/index.ts'
import {
  type AgentCounters,
  type AgentTransport,
  type Codec,
  type NotifyStore,
  TreeModel,
  UspAgent,
  websocketTransport,
} from '../usp/index.ts'
import type { AgentQuirks } from './agent-quirks.ts'
import { type CpeQuirk, withQuirks } from './cpe-quirks/index.ts'
import { DeafLinks } from './deaf-links.ts'
import { DeviceCommands } from './device-commands.ts'
import { dualStackGateway, type GatewayFacts, type PresetModels, tr098Gateway, tr181Gateway } from './device-presets.ts'
import { Diagnostics } from './diagnostics.ts'
import { type DeviceFamily, type FamilyName, familyDevice, type Home, HomeLife } from './families/index.ts'
import { type Fault, quirksOf } from './faults.ts'
import { faultyLinks } from './faulty-links.ts'
import { FaultyModel } from './faulty-model.ts'
import { Firmware } from './firmware.ts'
import { FirmwareLoader } from './firmware-loader.ts'
import { FACTORY_FILE } from './router-packages.ts'
import { RouterScripts } from './routeros/index.ts'
import { scaledClock } from './scaled-clock.ts'
import { treeCpeModel } from './tree-cpe-model.ts'

/** The four kinds of simulated devices. */
export const SIMULATED_KINDS = ['legacyTr098', 'tr181NoAgent', 'dualStack', 'uspOnly'] as const
export type SimulatedKind = (typeof SIMULATED_KINDS)[number]

/** The addresses of the servers. */
export interface ServerAddresses {
  acsUrl: string
  /** The CWMP password with which a device is delivered. */
  enrolmentSecret: string
  /** PEM certificates by which devices trust an ACS, beside the system's own. */
  acsCertificates?: readonly string[]
  /** For devices that are delivered with a Controller. */
  usp: { endpointId: string; host: string; port: number; path: string; tls: boolean; certificate?: string }
}

type Living = ReturnType<typeof familyDevice>['living']

/** Milliseconds that a CPE waits for an answer of its ACS. */
const CPE_TIMEOUT_MS = 30_000

export interface SimulatedDeviceOptions {
  kind: SimulatedKind
  facts: GatewayFacts
  /** A device of the field, in place of the plain one of its kind. */
  field?: { name: FamilyName; family: DeviceFamily; home: Home }
  faults: readonly Fault[]
  endpointId: string
  servers: ServerAddresses
  models: PresetModels
  codec: Codec
  /** The CWMP version of the CPE. */
  cwmpVersion: CwmpVersion
  /** Address for the listener of connection requests. */
  listenHost: string
  timeScale: number
  /** Seconds between periodic Informs as the device is delivered. */
  informIntervalS: number
  /** Keeps the owed notifications of the Agent over a restart; undefined: they are lost with it. */
  notifyStore?: NotifyStore | undefined
  clock: Clock
  random: Random
  log: Log
}

/** The content of the flash memory of a device. */
export interface SavedDevice {
  tree: TreeSnapshot
  cpe?: CpeState
  /** True after the first boot. */
  booted: boolean
  /** PEM certificates that were added to the device. */
  certificates: string[]
  /** TR-098: the firmware of the next boot. */
  firmware?: string
  /** MikroTik: the package of the TR-069 client is missing. */
  clientLost?: true
  /** MikroTik: the script that a reset runs. */
  factoryScript?: string
}

/** One simulated device: a data-model tree with a CPE, an Agent, or both over it. */
export class SimulatedDevice {
  readonly kind: SimulatedKind
  /** The family and the home, of a device of the field. */
  readonly field: SimulatedDeviceOptions['field']
  readonly facts: GatewayFacts
  readonly faults: readonly Fault[]
  readonly tree: InstanceTree
  readonly cwmp: TreeView
  readonly usp: TreeView | undefined
  readonly cpe: Cpe | undefined
  readonly agent: UspAgent | undefined
  /** Rows that were ever added to the Agent's Controller table: more than expected means that an effect was doubled. */
  rowsAdded = 0
  reboots = 0
  /** Scripts that were run on a MikroTik router. */
  readonly scripts: string[] = []
  /** The configuration of a MikroTik router that its scripts change. */
  readonly router: RouterScripts | undefined
  /** State besides the values of the tree has changed and must survive a power cut; `whole` means the tree too. */
  onState: ((whole: boolean) => void) | undefined
  /** The clock of all waits of the device, by its time scale. */
  readonly #clock: Clock
  /** The clock of waits within an answer, at most a tenth as fast: a server has its time limits. */
  readonly #answerClock: Clock
  readonly #diagnostics: Diagnostics
  readonly #firmware: Firmware
  readonly #loader: FirmwareLoader
  readonly #life: HomeLife | undefined
  readonly #options: SimulatedDeviceOptions
  readonly #factory: TreeSnapshot
  readonly #delivered: string[]
  #certificates: string[] = []
  #booted = false
  #isClientLost = false
  #factoryScript: string | undefined
  #bootedAt = 0
  #on = false
  #cancel: (() => void) | undefined
  #deaf: DeafLinks | undefined

  constructor(options: SimulatedDeviceOptions) {
    this.#options = options
    this.#clock = scaledClock(options.clock, options.timeScale)
    this.#answerClock = scaledClock(options.clock, Math.max(1, options.timeScale / 10))
    this.kind = options.kind
    this.field = options.field
    this.facts = options.facts
    this.faults = options.faults
    const profile = options.field?.family.routerProfile
    if (profile !== undefined)
      this.router = new RouterScripts({
        ...options,
        profile: options.faults.includes('deviceModeHome') ? 'home' : profile,
        serial: options.facts.serial,
      })
    const made = this.#make()
    this.tree = made.tree
    this.cwmp = made.cwmp
    this.usp = made.usp
    this.#deliver()
    this.#life = this.#makeLife(made.living)
    this.#factory = this.tree.snapshot()
    this.#delivered = this.#certificates
    const root = options.kind === 'legacyTr098' ? 'InternetGatewayDevice.' : 'Device.'
    this.#diagnostics = new Diagnostics(this.cwmp, this.#clock, options.clock)
    this.#firmware = new Firmware(this.tree, root)
    this.#loader = new FirmwareLoader(this.#firmware, {
      timeScale: options.timeScale,
      trusted: () => [...(options.servers.acsCertificates ?? []), ...this.#certificates],
      ...(options.field?.family.packages === undefined ? {} : { packages: options.field.family.packages }),
      onScript: (text) => this.#runScript(text),
      onFactoryScript: (text) => {
        this.#factoryScript = text
        this.onState?.(false)
      },
      onClientLost: () => {
        this.#isClientLost = true
      },
    })
    const habits = options.field?.family.habits ?? []
    const quirks = quirksOf([...habits, ...options.faults], options.facts.serial)
    if (options.kind !== 'uspOnly') this.cpe = this.#makeCpe(root, quirks.cpe)
    if (this.usp !== undefined) this.agent = this.#makeAgent(this.usp, quirks.agent)
    for (const path of [`${root}DeviceInfo.UpTime`, 'Device.LocalAgent.UpTime'])
      this.tree.live(path, () => String(Math.floor((options.clock.now() - this.#bootedAt) / 1000)))
    this.tree.onChange((change) => {
      if (change.kind === 'created' && change.path.startsWith('Device.LocalAgent.Controller.')) this.rowsAdded++
      if (change.path === 'Device.ManagementServer.EnableCWMP') this.#switchCwmp(change.value === 'true')
    })
  }

  #makeCpe(root: RootObject, quirks: readonly CpeQuirk[]): Cpe {
    const { facts, field, cwmpVersion, listenHost, servers, clock, random, log } = this.#options
    const ports = {
      model: treeCpeModel(this.cwmp, root, {
        command: (path, value) => this.#onCommand(path, value),
        refusesCommand: (path, value) => this.#refusesCommand(path, value),
        diagnose: (object) => this.#diagnostics.run(object),
      }),
      transport: httpTransport({ trusted: servers.acsCertificates ?? [], timeoutMs: CPE_TIMEOUT_MS }),
    }
    const restart = () => this.#restart(false, '')
    return new Cpe({
      ...withQuirks(quirks, ports, { clock: this.#answerClock, random, restart }),
      identity: facts,
      version: cwmpVersion,
      listenHost,
      clock: this.#clock,
      wallClock: clock,
      random,
      log,
      onRestart: (reset) => this.#restart(reset, ''),
      ...(field?.family.packages === undefined ? {} : { vendorFiles: [FACTORY_FILE] }),
      onDownload: (transfer) => this.#loader.fromCwmp(transfer),
      onState: () => this.onState?.(false),
    })
  }

  #makeAgent(view: TreeView, quirks: AgentQuirks): UspAgent {
    const options = this.#options
    const clock = this.#clock
    const commands = new DeviceCommands(
      {
        restart: (reset, key) => this.#restart(reset, key),
        addCertificate: (pem) => this.#certificateProblem(pem) ?? this.#addCertificate(pem),
        firmware: {
          download: (bank, args, signal) => this.#loader.fromUsp(bank, args, signal),
          holdsImage: (bank) => this.#firmware.holdsImage(bank),
          bootFrom: (bank) => this.#firmware.bootFrom(bank),
        },
      },
      clock,
      options.clock,
    )
    return new UspAgent({
      ...options,
      model: new FaultyModel(new TreeModel(view, (call) => commands.operate(call)), quirks),
      transport: this.#links(quirks),
      endpointId: quirks.wrongEndpointId ?? options.endpointId,
      identity: options.facts,
      clock,
      wallClock: options.clock,
    })
  }

  #links(quirks: AgentQuirks): AgentTransport {
    const { codec, random } = this.#options
    const websocket = websocketTransport(() => ({ trusted: this.#certificates }))
    const links = faultyLinks(websocket, quirks, { clock: this.#answerClock, random })
    if (quirks.deaf !== true) return links
    this.#deaf = new DeafLinks(links, { tree: this.tree, codec, clock: this.#clock, random })
    return this.#deaf
  }

  /** Open USP links whose Controller row is deleted. */
  get deafLinks(): number {
    return this.#deaf?.count ?? 0
  }

  /** The identity from which a server makes the device id. */
  get identity(): { oui: string; productClass: string; serial: string } {
    return this.facts
  }

  get counters(): {
    cpe: CpeCounters | undefined
    agent: AgentCounters | undefined
    rowsAdded: number
    reboots: number
  } {
    return { cpe: this.cpe?.counters, agent: this.agent?.counters, rowsAdded: this.rowsAdded, reboots: this.reboots }
  }

  /** Returns the present rows of the Agent's Controller table. */
  controllerRows(): string[] {
    return this.tree.instances('Device.LocalAgent.Controller.')
  }

  /** Switches the device on. */
  start(): void {
    this.#on = true
    const first = !this.#booted
    this.#boot(first, first ? 'LocalFactoryReset' : 'LocalReboot', '')
    if (this.faults.includes('powerLoss')) this.#schedulePowerLoss()
  }

  /** Switches the device off; `graceful` closes links in order. */
  stop(graceful: boolean): void {
    this.#on = false
    this.#halt(graceful)
  }

  /** Cuts the power for a moment. */
  powerLoss(): void {
    if (!this.#on) return
    this.#halt(false)
    this.reboots++
    this.#bootAfter(1000, false, 'LocalReboot', '')
  }

  save(): SavedDevice {
    return { tree: this.tree.snapshot(), ...this.saveState() }
  }

  /** Returns the state without the tree. */
  saveState(): Omit<SavedDevice, 'tree'> {
    const firmware = this.#firmware.save()
    return {
      booted: this.#booted,
      certificates: this.#certificates,
      ...(this.cpe === undefined ? {} : { cpe: this.cpe.saveState() }),
      ...(firmware === undefined ? {} : { firmware }),
      ...(this.#isClientLost ? { clientLost: true as const } : {}),
      ...(this.#factoryScript === undefined ? {} : { factoryScript: this.#factoryScript }),
    }
  }

  load(state: SavedDevice): void {
    this.tree.restore(state.tree)
    this.loadState(state)
  }

  loadState(state: Omit<SavedDevice, 'tree'>): void {
    this.#booted = state.booted
    this.#certificates = state.certificates
    this.#firmware.load(state.firmware)
    this.#isClientLost = state.clientLost === true
    this.#factoryScript = state.factoryScript
    if (state.cpe !== undefined) this.cpe?.loadState(state.cpe)
  }

  /** Takes the addresses of the servers into the tree: a saved device may find its servers elsewhere. */
  aim(): void {
    const root = this.kind === 'legacyTr098' ? 'InternetGatewayDevice.' : 'Device.'
    if (this.tree.raw(`${root}ManagementServer.URL`) !== undefined)
      this.tree.put(`${root}ManagementServer.URL`, this.#options.servers.acsUrl)
    const { usp } = this.#options.servers
    for (const row of this.controllerRows()) {
      if (this.tree.raw(`${row}EndpointID`) !== usp.endpointId) continue
      for (const mtp of this.tree.instances(`${row}MTP.`)) this.tree.put(`${mtp}WebSocket.Port`, String(usp.port))
    }
  }

  #make(): { tree: InstanceTree; cwmp: TreeView; usp?: TreeView; living?: Living } {
    const { kind, facts, models, endpointId, field } = this.#options
    if (field !== undefined) {
      const standard = kind === 'legacyTr098' ? models.tr098 : models.cwmp
      return familyDevice(field.family, field.home, standard, facts.softwareVersion)
    }
    if (kind === 'legacyTr098') return tr098Gateway(facts, models)
    if (kind === 'tr181NoAgent') return tr181Gateway(facts, models)
    return dualStackGateway(facts, endpointId, models)
  }

  #makeLife(living: Living = new Map()): HomeLife | undefined {
    const { field, clock: wallClock, random } = this.#options
    if (field === undefined) return undefined
    const { family, home } = field
    return new HomeLife({ family, serial: home.serial, tree: this.tree, living, clock: this.#clock, wallClock, random })
  }

  /** Applies the delivery settings: the ACS of the operator and the enrolment secret, or a Controller. */
  #deliver(): void {
    const { kind, facts, servers, informIntervalS } = this.#options
    const root = kind === 'legacyTr098' ? 'InternetGatewayDevice.' : 'Device.'
    const put = (name: string, value: string) => this.tree.put(`${root}ManagementServer.${name}`, value)
    const encode = (text: string) =>
      encodeURIComponent(text).replace(/[-.!~*'()]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    put('Username', `${facts.oui}-${encode(facts.productClass)}-${encode(facts.serial)}`)
    put('Password', servers.enrolmentSecret)
    put('PeriodicInformInterval', String(informIntervalS))
    if (kind === 'uspOnly') this.#addController()
    this.aim()
  }

  #addController(): void {
    const { usp } = this.#options.servers
    if (usp.certificate !== undefined) this.#addCertificate(usp.certificate)
    const row = this.tree.addRow('Device.LocalAgent.Controller.', 'device')
    const mtp = this.tree.addRow(`${row}MTP.`, 'device')
    const values: Record<string, string> = {
      [`${row}EndpointID`]: usp.endpointId,
      [`${row}AssignedRole`]: 'Device.LocalAgent.ControllerTrust.Role.1',
      [`${row}PeriodicNotifInterval`]: '300',
      [`${mtp}Protocol`]: 'WebSocket',
      [`${mtp}WebSocket.Host`]: usp.host,
      [`${mtp}WebSocket.Port`]: String(usp.port),
      [`${mtp}WebSocket.Path`]: usp.path,
      [`${mtp}WebSocket.EnableEncryption`]: String(usp.tls),
      [`${mtp}WebSocket.KeepAliveInterval`]: '60',
      [`${mtp}Enable`]: 'true',
      [`${row}Enable`]: 'true',
    }
    for (const [path, value] of Object.entries(values)) this.tree.put(path, value)
  }

  #halt(graceful: boolean): void {
    this.#cancel?.()
    this.#diagnostics.stop()
    this.#life?.stop()
    this.cpe?.stop()
    this.agent?.stop(graceful)
    this.#deaf?.stop(graceful)
  }

  /** Schedules a boot; a later reason replaces an earlier one. */
  #bootAfter(delayMs: number, bootstrap: boolean, cause: string, commandKey: string): void {
    this.#cancel?.()
    this.#cancel = this.#clock.after(delayMs, () => this.#on && this.#boot(bootstrap, cause, commandKey))
  }

  #boot(bootstrap: boolean, cause: string, commandKey: string): void {
    this.#bootedAt = this.#options.clock.now()
    this.#life?.start()
    const enabled = this.tree.raw('Device.ManagementServer.EnableCWMP') !== 'false' && !this.#isClientLost
    if (enabled) this.#startCpe(bootstrap)
    // Not before `0 BOOTSTRAP` is due: a device that is cut off here has not booted.
    this.#booted = true
    // After the CPE listens to changes: a new version is one (forced active notification).
    const firmwareUpdated = this.#firmware.boot()
    this.agent?.start({ cause, commandKey, firmwareUpdated })
    this.onState?.(false)
  }

  #startCpe(bootstrap: boolean): void {
    this.cpe?.start(bootstrap).catch((err: unknown) => this.#options.log.error({ err }, 'simulated CPE did not start'))
  }

  #restart(reset: boolean, commandKey: string): void {
    if (!this.#on) return
    this.reboots++
    this.#halt(true)
    if (reset) this.#resetToFactory()
    this.#bootAfter(2000, reset, reset ? 'RemoteFactoryReset' : 'RemoteReboot', commandKey)
  }

  /** Restores the settings. The firmware stays, and instance numbers are not given again. */
  #resetToFactory(): void {
    const kept = this.#firmware.kept()
    const { next } = this.tree.snapshot()
    this.tree.restore({ ...this.#factory, next, values: { ...this.#factory.values, ...kept } })
    this.#certificates = this.#delivered
    if (this.#factoryScript !== undefined) this.#runFactoryScript(this.#factoryScript)
    this.aim()
    this.#booted = false
    this.cpe?.forget()
    this.onState?.(true)
  }

  /** A script of RouterOS. Throws TransferFault when it cannot be read, or fails on the way. */
  #runScript(text: string): void {
    const path = 'Device.DeviceInfo.X_MIKROTIK_SystemIdentity'
    const before = this.tree.raw(path) ?? ''
    const ended = this.router?.run(text, before)
    if (ended === undefined) return
    if (ended.name !== before) this.tree.put(path, ended.name, 'device')
    if (ended.end === 'syntax') throw new TransferFault(9018, `the script is none: ${ended.text}`)
    this.scripts.push(text)
    if (ended.end === 'failed') throw new TransferFault(9010, `the script failed: ${ended.text}`)
  }

  /** The script of a reset: nobody hears of one that fails. */
  #runFactoryScript(text: string): void {
    try {
      this.#runScript(text)
    } catch (err) {
      if (!(err instanceof TransferFault)) throw err
      this.#options.log.debug({ err }, 'the factory script of a simulated router failed')
    }
  }

  #refusesCommand(path: string, value: string): string | undefined {
    return path === 'Device.USPAgent.AddCertificate' ? this.#certificateProblem(value) : undefined
  }

  #certificateProblem(pem: string): string | undefined {
    try {
      const { serialNumber } = new X509Certificate(pem)
      const rows = this.tree.instances('Device.LocalAgent.Certificate.')
      return rows.some((row) => this.tree.raw(`${row}SerialNumber`) === serialNumber) ? 'the device has it' : undefined
    } catch {
      return 'no certificate in PEM form'
    }
  }

  /** Adds a certificate. The device shows its serial number and issuer; the certificate itself cannot be read. */
  #addCertificate(pem: string): undefined {
    const { serialNumber, issuer } = new X509Certificate(pem)
    const row = this.tree.addRow('Device.LocalAgent.Certificate.', 'device')
    this.tree.put(`${row}SerialNumber`, serialNumber)
    this.tree.put(`${row}Issuer`, issuer.replaceAll('\n', ', ').slice(0, 256))
    this.tree.put(`${row}Enable`, 'true')
    this.#certificates = [...this.#certificates, pem]
    this.onState?.(false)
    return undefined
  }

  #onCommand(path: string, value: string): void {
    if (path === 'Device.USPAgent.AddCertificate') return void this.#addCertificate(value)
    if (value !== '1' && value !== 'true') return
    const match = /^Device\.USPAgent\.(Controller\.\d+\.)SendOnBoardRequest$/.exec(path)
    if (match !== null) this.agent?.sendOnBoardRequest(`Device.LocalAgent.${match[1]}`)
  }

  #switchCwmp(on: boolean): void {
    if (!this.#on || this.cpe === undefined || on === this.cpe.running) return
    if (on) this.#startCpe(false)
    else this.cpe.leave()
  }

  #schedulePowerLoss(): void {
    this.#clock.after((20 + this.#options.random.fraction() * 60) * 1000, () => this.powerLoss())
  }
}
