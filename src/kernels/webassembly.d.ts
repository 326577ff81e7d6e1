/** As much of it as is used here: Node's own types leave it to the browser's. */
declare namespace WebAssembly {
  /** Compiled code; only instances do anything. */
  type Module = object;
  const Module: new (bytes: Uint8Array) => Module;

  type Exports = Readonly<Record<string, unknown>>;
  class Instance {
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>);
    readonly exports: Exports;
  }

  class Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
}
