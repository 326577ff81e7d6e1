/** The dataset cannot be read: not found, of an unknown kind, or damaged. The message names the file and what to do. */
export class DatasetError extends Error {
  override readonly name = 'DatasetError';
}
