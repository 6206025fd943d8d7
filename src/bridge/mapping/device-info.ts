import { atMost, firstWord, integer, kib, oneOf, seconds, truth } from './conversions.ts'
import type { ObjectMapping, ParameterMapping, Text } from './declaration.ts'
import { firstOf, fixed, kept, rowsWith, shown, shownFrom } from './parameters.ts'

const IMAGES = 'Device.DeviceInfo.FirmwareImage.{i}.'
/** The update channel alone tells of images; the one that runs is called `active`. */
const ACTIVE_IMAGE: ParameterMapping = { from: ['update:installed-version'], read: () => 'active', refers: [IMAGES] }

/** Identity, versions and state of a router. Identity is that of its TR-069 client, so that one device has one record. */
const DEVICE_INFO: ObjectMapping = {
  object: 'Device.DeviceInfo.',
  needs: ['/system/resource'],
  source: { menu: '/system/resource' },
  joins: {
    board: { menu: '/system/routerboard' },
    license: { menu: '/system/license' },
    identity: { menu: '/system/identity' },
    ethernet: { menu: '/interface/ethernet' },
    cwmp: { menu: '/tr069-client' },
    update: { menu: '/system/package/update' },
  },
  parameters: {
    Manufacturer: fixed('MikroTik'),
    ManufacturerOUI: shownFrom(['ethernet:orig-mac-address', 'ethernet:mac-address'], ([original, now]) =>
      ouiOf(original ?? now),
    ),
    ModelName: shownFrom(['board:model', 'board-name'], modelOf),
    ProductClass: shownFrom(['board:model', 'board-name'], modelOf),
    SerialNumber: shownFrom(['board:serial-number', 'license:system-id', 'license:software-id'], (texts) =>
      texts.find((text) => text !== undefined && text !== '')?.slice(0, 64),
    ),
    HardwareVersion: shownFrom(['board:revision', 'board:firmware-type', 'architecture-name'], (texts) =>
      texts.find((text) => text !== undefined && text !== '')?.slice(0, 64),
    ),
    SoftwareVersion: shown('version', firstWord),
    AdditionalSoftwareVersion: shownFrom(['board:current-firmware'], ([firmware]) => firmware?.slice(0, 64)),
    UpTime: shown('uptime', seconds),
    HostName: kept('identity:name', atMost(255)),
    ProvisioningCode: kept('cwmp:provisioning-code', {
      read: (text) => (text ?? '').slice(0, 64),
      write: (value) => value,
    }),
    ActiveFirmwareImage: ACTIVE_IMAGE,
    BootFirmwareImage: ACTIVE_IMAGE,
    'MemoryStatus.Total': shown('total-memory', kib),
    'MemoryStatus.Free': shown('free-memory', kib),
    'MemoryStatus.TotalPersistent': shown('total-hdd-space', kib),
    'MemoryStatus.FreePersistent': shown('free-hdd-space', kib),
    'ProcessStatus.CPUUsage': shown('cpu-load', integer(0, 100)),
  },
}

const SENSORS = 'Device.DeviceInfo.TemperatureStatus.TemperatureSensor.{i}.'

/** Rows of type C in version 7; version 6 has one row with the sensors as columns. */
const TEMPERATURES: ObjectMapping = {
  object: SENSORS,
  needs: ['/system/health'],
  source: {
    readings: {
      health: {
        menu: '/system/health',
        properties: ['name', 'value', 'type', 'temperature', 'cpu-temperature', 'board-temperature1'],
      },
    },
    rows: ({ health = [] }) =>
      health.flatMap((row) =>
        row.name !== undefined
          ? [row]
          : Object.entries(row).flatMap(([name, value]) =>
              /temperature/.test(name) ? [{ name, value, type: 'C' }] : [],
            ),
      ),
  },
  table: { key: firstOf('name'), where: rowsWith(['type'], ({ type }) => type === 'C') },
  parameters: {
    Enable: fixed('true'),
    Name: shown('name', atMost(256)),
    Value: shownFrom(['value'], ([value]) => celsiusOf(value)),
    Status: shownFrom(['value'], ([value]) => (celsiusOf(value) === undefined ? 'Error' : 'Enabled')),
  },
}

/** Row 1 is the version that runs, row 2 the one that the update channel offers. */
const FIRMWARE: ObjectMapping = {
  object: IMAGES,
  needs: ['/system/package/update'],
  source: {
    readings: {
      update: { menu: '/system/package/update', properties: ['installed-version', 'latest-version', 'status'] },
    },
    rows({ update: rows = [] }) {
      const [update] = rows
      const running = update?.['installed-version'] ?? ''
      const offered = update?.['latest-version'] ?? ''
      const status = /download/i.test(update?.status ?? '') ? downloadStatus(update?.status ?? '') : 'NoImage'
      return [
        { name: 'active', version: running, status: 'Active', available: 'true' },
        {
          name: 'target',
          version: status === 'Available' ? offered : '',
          status,
          available: String(status === 'Available'),
        },
      ]
    },
  },
  table: { key: firstOf('name'), called: firstOf('name') },
  parameters: {
    Name: shown('name'),
    Version: shown('version', atMost(64)),
    Status: shown('status', oneOf('NoImage', 'Active', 'Downloading', 'Available', 'DownloadFailed')),
    Available: shown('available', truth),
  },
}

/** The configuration that runs: what backups are made of. */
const CONFIG_FILE: ObjectMapping = {
  object: 'Device.DeviceInfo.VendorConfigFile.{i}.',
  needs: ['/system/resource'],
  source: { readings: {}, rows: () => [{ name: 'running' }] },
  table: { key: firstOf('name') },
  parameters: {
    Name: shown('name'),
    Description: fixed('The configuration of the router'),
    UseForBackupRestore: fixed('true'),
  },
}

export const DEVICE_INFO_OBJECTS = [DEVICE_INFO, TEMPERATURES, FIRMWARE, CONFIG_FILE]

function ouiOf(address: Text): Text {
  const [match] = /^([0-9A-Fa-f]{2}:){2}[0-9A-Fa-f]{2}/.exec(address ?? '') ?? []
  return match?.replaceAll(':', '').toUpperCase()
}

function modelOf([model, board]: readonly Text[]): Text {
  return (model === undefined || model === '' ? board : model)?.slice(0, 64)
}

/** Whole degrees; a sensor gives `41`, or `23.8`. */
function celsiusOf(text: Text): Text {
  const number = text !== undefined && /^-?\d{1,3}(\.\d+)?$/.test(text) ? Math.round(Number(text)) : undefined
  return number === undefined || number < -274 ? undefined : String(number)
}

/** The state of a download by the words of RouterOS, such as `Downloaded, please reboot router to upgrade it`. */
function downloadStatus(status: string): string {
  if (/^downloaded/i.test(status)) return 'Available'
  return /fail|error/i.test(status) ? 'DownloadFailed' : 'Downloading'
}
