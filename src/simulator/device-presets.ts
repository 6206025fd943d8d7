import { loadModel, type Model, schemaPathOf } from '../datamodel/index.ts'
import { InstanceTree, TreeView } from '../tree/index.ts'
import { MANAGER } from '../usp/index.ts'

/** Identity and versions of a simulated gateway. */
export interface GatewayFacts {
  manufacturer: string
  oui: string
  productClass: string
  serial: string
  modelName: string
  hardwareVersion: string
  softwareVersion: string
}

/** The models of all simulated devices, read once for a fleet. */
export interface PresetModels {
  cwmp: Model
  usp: Model
  tr098: Model
}

export function loadPresetModels(): PresetModels {
  return { cwmp: loadModel('tr181-cwmp'), usp: loadModel('tr181-usp'), tr098: loadModel('tr098') }
}

/** Objects of a device: instantiated path -> values that differ from the model's defaults. */
type Content = Record<string, Record<string, string>>

/** Parameters that simulated devices leave out to save memory. */
const LEAVE_OUT = /^(X_|Max|.*Diagnostic|DynamicTableSize)/

/** Builds a tree of instantiated objects and empty tables. */
function build(
  content: Content,
  emptyTables: string[],
  modelOf: (path: string) => Model,
  extra: Record<string, string[]> = {},
): InstanceTree {
  const supported = new Map<string, string[]>()
  const note = (path: string) => {
    const schema = schemaPathOf(path)
    const object = modelOf(path).object(path)
    if (object === undefined) throw new Error(`the model has no ${path}`)
    const names = [...object.params.keys()].filter((name) => !LEAVE_OUT.test(name))
    supported.set(schema, [
      ...new Set([...(supported.get(schema) ?? []), ...names, ...Object.keys(content[path] ?? {})]),
    ])
  }
  for (const path of Object.keys(content)) note(path)
  for (const path of emptyTables) note(path)
  // Names of the other protocol's model.
  for (const [schema, names] of Object.entries(extra)) supported.get(schema)?.push(...names)
  const tree = new InstanceTree(supported, modelOf)
  for (const [path, values] of Object.entries(content)) {
    tree.instantiate(path)
    for (const [name, value] of Object.entries(values)) tree.put(path + name, value)
  }
  for (const table of supported.keys()) {
    const object = modelOf(table).object(table)
    if (object?.table !== true || object.count === undefined) continue
    const own = table.slice(0, -4)
    for (const parent of [...tree.objects()]) {
      const path = parent + own.slice(own.lastIndexOf('.', own.length - 2) + 1)
      if (schemaPathOf(path) === own && tree.raw(parent + object.count) !== undefined)
        tree.put(parent + object.count, String(tree.instances(path).length))
    }
  }
  return tree
}

function deviceInfo(facts: GatewayFacts): Record<string, string> {
  return {
    Manufacturer: facts.manufacturer,
    ManufacturerOUI: facts.oui,
    ModelName: facts.modelName,
    ProductClass: facts.productClass,
    SerialNumber: facts.serial,
    HardwareVersion: facts.hardwareVersion,
    SoftwareVersion: facts.softwareVersion,
    ProvisioningCode: '',
    UpTime: '1',
  }
}

/** Values of ManagementServer on delivery. */
function managementServer(): Record<string, string> {
  return {
    EnableCWMP: 'true',
    URL: '',
    Username: '',
    Password: '',
    PeriodicInformEnable: 'true',
    PeriodicInformInterval: '300',
    ParameterKey: '',
    ConnectionRequestURL: '',
    CWMPRetryMinimumWaitInterval: '5',
    CWMPRetryIntervalMultiplier: '2000',
    AliasBasedAddressing: 'false',
    SupportedConnReqMethods: 'HTTP',
  }
}

/** Returns a gateway of the first generation: TR-098, about 200 parameters. */
export function tr098Gateway(facts: GatewayFacts, models: PresetModels): { tree: InstanceTree; cwmp: TreeView } {
  const root = 'InternetGatewayDevice.'
  const wan = `${root}WANDevice.1.WANConnectionDevice.1.`
  const content: Content = {
    [root]: { DeviceSummary: 'InternetGatewayDevice:1.14[](Baseline:1)' },
    [`${root}DeviceInfo.`]: { ...deviceInfo(facts), SpecVersion: '1.0' },
    [`${root}ManagementServer.`]: managementServer(),
    [`${root}Time.`]: { Enable: 'true', NTPServer1: 'ntp.example.com' },
    [`${root}IPPingDiagnostics.`]: { DiagnosticsState: 'None', NumberOfRepetitions: '3' },
    [`${root}LANDevice.1.`]: {},
    [`${root}LANDevice.1.LANHostConfigManagement.`]: {
      DHCPServerEnable: 'true',
      MinAddress: '192.168.1.100',
      MaxAddress: '192.168.1.199',
      SubnetMask: '255.255.255.0',
    },
    [`${root}LANDevice.1.WLANConfiguration.1.`]: {
      Enable: 'true',
      SSID: `${facts.modelName}-2G`,
      Channel: '6',
      BeaconType: '11i',
      Status: 'Up',
    },
    [`${root}LANDevice.1.Hosts.`]: {},
    [`${root}WANDevice.1.`]: {},
    [`${root}WANDevice.1.WANCommonInterfaceConfig.`]: { WANAccessType: 'Ethernet', PhysicalLinkStatus: 'Up' },
    [wan]: {},
    [`${wan}WANIPConnection.1.`]: {
      Enable: 'true',
      ConnectionStatus: 'Connected',
      ExternalIPAddress: '198.51.100.20',
      AddressingType: 'DHCP',
    },
  }
  const tree = build(
    content,
    [`${wan}WANIPConnection.{i}.PortMapping.{i}.`, `${root}LANDevice.{i}.Hosts.Host.{i}.`],
    () => models.tr098,
  )
  return { tree, cwmp: new TreeView(tree, models.tr098) }
}

function tr181Content(facts: GatewayFacts, dataModelVersion: string): Content {
  const content: Content = {
    'Device.': { RootDataModelVersion: dataModelVersion },
    'Device.DeviceInfo.': {
      ...deviceInfo(facts),
      ActiveFirmwareImage: 'Device.DeviceInfo.FirmwareImage.1',
      BootFirmwareImage: 'Device.DeviceInfo.FirmwareImage.1',
    },
    'Device.DeviceInfo.FirmwareImage.1.': {
      Alias: 'cpe-1',
      Name: 'bank 1',
      Version: facts.softwareVersion,
      Available: 'true',
      Status: 'Active',
    },
    'Device.DeviceInfo.FirmwareImage.2.': { Alias: 'cpe-2', Name: 'bank 2', Status: 'NoImage' },
    'Device.ManagementServer.': managementServer(),
    'Device.Time.': { Enable: 'true', Status: 'Synchronized', LocalTimeZone: 'UTC0' },
    'Device.Ethernet.': {},
    'Device.Ethernet.Interface.1.': { Enable: 'true', Status: 'Up', Alias: 'cpe-1', Name: 'eth0', Upstream: 'true' },
    'Device.Ethernet.Interface.2.': { Enable: 'true', Status: 'Up', Alias: 'cpe-2', Name: 'eth1' },
    'Device.IP.': { IPv4Capable: 'true', IPv4Enable: 'true', IPv4Status: 'Enabled' },
    'Device.IP.Interface.1.': {
      Enable: 'true',
      Status: 'Up',
      Alias: 'cpe-1',
      Name: 'wan',
      LowerLayers: 'Device.Ethernet.Interface.1',
    },
    'Device.IP.Interface.1.IPv4Address.1.': {
      Enable: 'true',
      Status: 'Enabled',
      Alias: 'cpe-1',
      IPAddress: '198.51.100.30',
      SubnetMask: '255.255.255.0',
      AddressingType: 'DHCP',
    },
    'Device.IP.Diagnostics.': {},
    'Device.IP.Diagnostics.IPPing.': { DiagnosticsState: 'None', NumberOfRepetitions: '3' },
    'Device.WiFi.': {},
    'Device.WiFi.Radio.1.': {
      Enable: 'true',
      Status: 'Up',
      Alias: 'cpe-1',
      Name: 'radio0',
      Channel: '36',
      OperatingFrequencyBand: '5GHz',
    },
    'Device.WiFi.SSID.1.': {
      Enable: 'true',
      Status: 'Up',
      Alias: 'cpe-1',
      SSID: `${facts.modelName}-5G`,
      LowerLayers: 'Device.WiFi.Radio.1',
    },
    'Device.WiFi.AccessPoint.1.': {
      Enable: 'true',
      Status: 'Enabled',
      Alias: 'cpe-1',
      SSIDReference: 'Device.WiFi.SSID.1',
      SSIDAdvertisementEnabled: 'true',
    },
    'Device.WiFi.AccessPoint.1.Security.': {
      ModeEnabled: 'WPA2-Personal',
      ModesSupported: 'None,WPA2-Personal,WPA3-Personal',
    },
    'Device.Hosts.': {},
    'Device.Hosts.Host.1.': {
      Alias: 'cpe-1',
      PhysAddress: '02:00:00:00:00:01',
      IPAddress: '192.168.1.101',
      Active: 'true',
      HostName: 'laptop',
    },
    'Device.NAT.': {},
  }
  return content
}

/** Returns a TR-181 gateway without a USP Agent: Device:2.12, about 250 parameters. */
export function tr181Gateway(facts: GatewayFacts, models: PresetModels): { tree: InstanceTree; cwmp: TreeView } {
  const tree = build(
    tr181Content(facts, '2.12'),
    ['Device.NAT.PortMapping.{i}.', 'Device.WiFi.SSID.{i}.'],
    () => models.cwmp,
  )
  return { tree, cwmp: new TreeView(tree, models.cwmp) }
}

/** Names of one tree under two protocols: USPAgent of CWMP is LocalAgent of USP, and EnableCWMP is one switch. */
const CWMP_NAMES: [string, string][] = [['Device.USPAgent.', 'Device.LocalAgent.']]
const USP_NAMES: [string, string][] = [['Device.CWMPManagementServer.EnableCWMP', 'Device.ManagementServer.EnableCWMP']]

/** Returns a TR-181 gateway with a USP Agent: Device:2.17, both protocols over one tree. */
export function dualStackGateway(
  facts: GatewayFacts,
  endpointId: string,
  models: PresetModels,
): { tree: InstanceTree; cwmp: TreeView; usp: TreeView } {
  const content: Content = {
    ...tr181Content(facts, '2.17'),
    'Device.LocalAgent.': {
      EndpointID: endpointId,
      SoftwareVersion: facts.softwareVersion,
      SupportedProtocols: 'WebSocket',
    },
    'Device.LocalAgent.ControllerTrust.': { UntrustedRole: 'Device.LocalAgent.ControllerTrust.Role.2' },
    'Device.LocalAgent.ControllerTrust.Role.1.': { Alias: 'cpe-1', Enable: 'true', Name: MANAGER.name },
    'Device.LocalAgent.ControllerTrust.Role.1.Permission.1.': {
      Alias: 'cpe-1',
      Enable: 'true',
      ...MANAGER.permissions[0],
    },
    'Device.LocalAgent.ControllerTrust.Role.2.': { Alias: 'cpe-2', Enable: 'true', Name: 'Untrusted' },
    'Device.CWMPManagementServer.': {},
  }
  const tables = [
    'Device.NAT.PortMapping.{i}.',
    'Device.LocalAgent.MTP.{i}.',
    'Device.LocalAgent.MTP.{i}.WebSocket.',
    'Device.LocalAgent.Controller.{i}.',
    'Device.LocalAgent.Controller.{i}.BootParameter.{i}.',
    'Device.LocalAgent.Controller.{i}.TransferCompletePolicy.',
    'Device.LocalAgent.Controller.{i}.MTP.{i}.',
    'Device.LocalAgent.Controller.{i}.MTP.{i}.WebSocket.',
    'Device.LocalAgent.ControllerTrust.Credential.{i}.',
    'Device.LocalAgent.Certificate.{i}.',
    'Device.LocalAgent.Subscription.{i}.',
    'Device.LocalAgent.Request.{i}.',
  ]
  const modelOf = (path: string) =>
    /^Device\.(LocalAgent|CWMPManagementServer)\./.test(path) ? models.usp : models.cwmp
  // A parameter of CWMP that is a command of USP is not in the model of USP.
  const tree = build(content, tables, modelOf, {
    'Device.LocalAgent.': ['AddCertificate'],
    'Device.LocalAgent.Controller.{i}.': ['SendOnBoardRequest'],
  })
  return { tree, cwmp: new TreeView(tree, models.cwmp, CWMP_NAMES), usp: new TreeView(tree, models.usp, USP_NAMES) }
}
