/** Why a file system refused, in words. */
const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on the disk',
  EDQUOT: 'the quota of the disk is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'permission is denied',
  EPERM: 'that is not permitted',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many files are open',
  EISDIR: 'a folder is in the place of a file',
  ENOTDIR: 'a file is in the place of a folder',
  EFBIG: 'the file is too large for this file system',
};

export function reasonOf(error: unknown): string {
  const { code = '', path, message } = error as NodeJS.ErrnoException;
  const reason = REASONS[code];
  return reason === undefined ? message : `${reason} (${code}${path === undefined ? '' : `, ${path}`})`;
}
