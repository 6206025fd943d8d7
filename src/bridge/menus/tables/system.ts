import { COMMENT, menu, READ, read, reads, rowVerb, SINGLE, verb, write } from '../form/menu.ts'
import { BOOLEAN, fileName, oneOf, textOf } from '../form/value-kinds.ts'

const BACKUP_PASSWORD = { ...textOf(64, 8), expects: 'a password of 8 to 64 bytes' }

/** Menus of the router itself. */
export const SYSTEM = {
  '/system': menu(
    {},
    {
      reboot: verb(2),
      'reset-configuration': verb(3, { args: { 'skip-backup': oneOf('yes') } }),
    },
  ),
  '/system/backup': menu(
    {},
    {
      save: verb(2, {
        args: { name: fileName('.backup'), password: BACKUP_PASSWORD, encryption: oneOf('aes-sha256') },
      }),
      load: verb(3, { args: { name: fileName('.backup'), password: BACKUP_PASSWORD } }),
    },
  ),
  '/system/resource': menu(
    reads(
      'uptime',
      'version',
      'build-time',
      'factory-software',
      'free-memory',
      'total-memory',
      'free-hdd-space',
      'total-hdd-space',
      'cpu',
      'cpu-count',
      'cpu-frequency',
      'cpu-load',
      'bad-blocks',
      'architecture-name',
      'board-name',
      'platform',
    ),
    READ,
  ),
  '/system/identity': menu({ name: write(textOf(255, 1)) }, SINGLE),
  '/system/clock': menu(reads('date', 'time', 'time-zone-name', 'gmt-offset'), READ),
  '/system/ntp/client': menu(
    { enabled: write(BOOLEAN), ...reads('status', 'servers', 'mode', 'primary-ntp', 'secondary-ntp') },
    SINGLE,
  ),
  '/system/routerboard': menu(
    reads(
      'routerboard',
      'board-name',
      'model',
      'revision',
      'serial-number',
      'firmware-type',
      'factory-firmware',
      'current-firmware',
      'upgrade-firmware',
    ),
    READ,
  ),
  '/system/license': menu(reads('system-id', 'level', 'software-id', 'nlevel'), { print: READ.print }),
  '/system/health': menu(
    reads(
      'name',
      'value',
      'type',
      'voltage',
      'temperature',
      'cpu-temperature',
      'board-temperature1',
      'fan1-speed',
      'fan2-speed',
      'psu1-state',
      'psu2-state',
      'power-consumption',
      'poe-out-consumption',
    ),
    READ,
  ),
  '/system/package': menu(reads('name', 'version', 'build-time', 'scheduled', 'available', 'disabled', 'size'), READ),
  '/system/package/update': menu(
    {
      ...reads('installed-version', 'latest-version', 'status'),
      channel: write(oneOf('stable', 'long-term', 'testing', 'development')),
    },
    {
      ...SINGLE,
      'check-for-updates': verb(1),
      download: verb(2),
    },
  ),
  '/system/device-mode': menu(
    reads('mode', 'fetch', 'scheduler', 'email', 'hotspot', 'container', 'install-any-version', 'allowed-versions'),
    { print: READ.print },
  ),
  '/file': menu(reads('name', 'size', 'type', 'creation-time'), { print: READ.print }),
  '/tool/netwatch': menu(
    reads('name', 'host', 'type', 'interval', 'timeout', 'status', 'since', 'done-tests', 'failed-tests', 'disabled'),
    READ,
  ),
  '/ip/service': menu(reads('name', 'port', 'address', 'disabled', 'certificate', 'tls-version'), {
    print: READ.print,
  }),
  '/tr069-client': menu(
    {
      ...reads(
        'enabled',
        'acs-url',
        'periodic-inform-enabled',
        'periodic-inform-interval',
        'status',
        'last-session-error',
        'retry-count',
      ),
      'provisioning-code': write(textOf(64)),
    },
    SINGLE,
  ),
  '/queue/simple': menu(
    {
      ...reads('name', 'target', 'limit-at', 'priority', 'parent', 'rate', 'bytes', 'packets', 'dropped'),
      ...reads('max-limit', 'disabled', 'dynamic'),
      comment: read(COMMENT),
    },
    READ,
  ),
  '/ppp/active': menu(reads('name', 'service', 'caller-id', 'address', 'uptime', 'session-id', 'radius'), {
    ...READ,
    remove: rowVerb(2),
  }),
} as const
