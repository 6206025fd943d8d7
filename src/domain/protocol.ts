/** The two protocols over which a device can be managed. */
export const PROTOCOLS = ['cwmp', 'usp'] as const
export type Protocol = (typeof PROTOCOLS)[number]
