/**
 * The comparison of the values of a field. `version` compares in natural order (1.10 after 1.9); `list` holds several
 * values, of which one must match; `search` is a list of texts in lower case.
 */
export type FieldKind = 'text' | 'version' | 'boolean' | 'time' | 'number' | 'list' | 'search'

/**
 * The fields that a selector may name, by the names that they have in the record, how they compare, and the stored
 * field behind each. Every one has an index (store/collections.ts).
 */
export const SELECTOR_FIELDS = {
  id: { kind: 'text', field: '_id' },
  oui: { kind: 'text', field: 'oui' },
  productClass: { kind: 'text', field: 'productClass' },
  serial: { kind: 'text', field: 'serial' },
  manufacturer: { kind: 'text', field: 'manufacturer' },
  model: { kind: 'text', field: 'model' },
  deviceClass: { kind: 'text', field: 'deviceClass' },
  root: { kind: 'text', field: 'root' },
  softwareVersion: { kind: 'version', field: 'softwareVersion' },
  hardwareVersion: { kind: 'text', field: 'hardwareVersion' },
  provisioningCode: { kind: 'text', field: 'provisioningCode' },
  ipAddress: { kind: 'text', field: 'ipAddress' },
  owner: { kind: 'text', field: 'owner' },
  'binding.endpointId': { kind: 'text', field: 'binding.endpointId' },
  'binding.proof': { kind: 'text', field: 'binding.proof' },
  'usp.linked': { kind: 'boolean', field: 'usp.linked' },
  'usp.answering': { kind: 'boolean', field: 'usp.answering' },
  'usp.weakLink': { kind: 'boolean', field: 'usp.weakLink' },
  'usp.lastSeenAt': { kind: 'time', field: 'usp.lastSeenAt' },
  'cwmp.lastInformAt': { kind: 'time', field: 'cwmp.lastInformAt' },
  'readiness.class': { kind: 'text', field: 'readiness.class' },
  'migration.state': { kind: 'text', field: 'migration.state' },
  'migration.planId': { kind: 'text', field: 'migration.planId' },
  label: { kind: 'text', field: 'label' },
  tags: { kind: 'list', field: 'tags' },
  groups: { kind: 'list', field: 'groups' },
  createdAt: { kind: 'time', field: 'createdAt' },
  'wan.state': { kind: 'text', field: 'wan.state' },
  'wan.lastError': { kind: 'text', field: 'wan.lastError' },
  'wan.ipAddress': { kind: 'text', field: 'wan.ipAddress' },
  'wan.macAddress': { kind: 'text', field: 'wan.macAddress' },
  'wan.pppUser': { kind: 'text', field: 'wan.pppUser' },
  'wan.vlanId': { kind: 'number', field: 'wan.vlanId' },
  'wan.upSince': { kind: 'time', field: 'wan.upSince' },
  'optical.rxPowerDbm': { kind: 'number', field: 'optical.rxPowerDbm' },
  'optical.txPowerDbm': { kind: 'number', field: 'optical.txPowerDbm' },
  'optical.health': { kind: 'text', field: 'optical.health' },
  'optical.temperatureC': { kind: 'number', field: 'optical.temperatureC' },
  'wifi.ssids': { kind: 'list', field: 'wifi.ssids' },
  'wifi.ssids2g': { kind: 'list', field: 'wifi.ssids2g' },
  'wifi.ssids5g': { kind: 'list', field: 'wifi.ssids5g' },
  'wifi.ssids6g': { kind: 'list', field: 'wifi.ssids6g' },
  'wifi.stations': { kind: 'number', field: 'wifi.stations' },
  'lan.activeHosts': { kind: 'number', field: 'lan.activeHosts' },
  'system.upSince': { kind: 'time', field: 'system.upSince' },
  'system.cpuPercent': { kind: 'number', field: 'system.cpuPercent' },
  'system.memoryUsedPercent': { kind: 'number', field: 'system.memoryUsedPercent' },
  search: { kind: 'search', field: 'search' },
} as const satisfies Record<string, { kind: FieldKind; field: string }>

export type SelectorField = keyof typeof SELECTOR_FIELDS

/** Earlier and short names of fields. They are understood and not documented. */
const ALIASES: Readonly<Record<string, SelectorField>> = {
  endpointId: 'binding.endpointId',
  proof: 'binding.proof',
  linked: 'usp.linked',
  answering: 'usp.answering',
  readiness: 'readiness.class',
  migration: 'migration.state',
  plan: 'migration.planId',
  tag: 'tags',
  group: 'groups',
  lastInform: 'cwmp.lastInformAt',
  lastSeen: 'usp.lastSeenAt',
  rxPower: 'optical.rxPowerDbm',
  txPower: 'optical.txPowerDbm',
  pppUser: 'wan.pppUser',
  ssid: 'wifi.ssids',
}

/** Returns the field that a name means; undefined when it means none. */
export function selectorField(name: string): SelectorField | undefined {
  if (isField(name)) return name
  return Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined
}

function isField(name: string): name is SelectorField {
  return Object.hasOwn(SELECTOR_FIELDS, name)
}
