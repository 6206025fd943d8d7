/** The two protocols over which a device can be managed. */
export type Protocol = 'cwmp' | 'usp'
