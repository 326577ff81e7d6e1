/**
 * Compiles a kernel; synchronous, because a few kB take less than a millisecond.
 *
 * @param base64  the module, which imports nothing but `env.abort`
 * @returns a function that starts the kernel, each time with memory of its own
 */
export const compileKernel = (base64: string): (() => WebAssembly.Exports) => {
  const module = new WebAssembly.Module(Buffer.from(base64, 'base64'));
  return () => new WebAssembly.Instance(module, { env: { abort: unreachable } }).exports;
};

const unreachable = (): never => {
  throw new Error('a kernel has stopped itself');
};
