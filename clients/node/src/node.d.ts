// What is used of Node itself, so that building needs the compiler alone.
declare module "node:crypto" {
  export function randomUUID(): string;
}
declare module "node:fs/promises" {
  export function readFile(path: string | URL): Promise<Uint8Array>;
  export function writeFile(path: string, data: Uint8Array): Promise<void>;
  export function stat(path: string): Promise<{ isDirectory(): boolean }>;
}
declare module "node:path" {
  export function basename(path: string): string;
  export function join(...parts: string[]): string;
}
declare module "node:url" {
  export function fileURLToPath(url: URL): string;
}
