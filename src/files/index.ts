/** Floor 3: files that this server gives to devices, each under a signed address that ends. */
export { FileServer, type FileSource } from './file-server.ts'
