// Package output writes files whole, refuses two outputs into one, and remembers the first
// error of a writer.
package output

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
)

// WriteFile writes a file so that it afterwards has either all of the new content or the
// old content, even after a power failure: it makes a new file in the same folder, and
// renames it. A file that cannot be replaced is overwritten, and a note on stderr says so:
// other names of the same file (hard links) would keep the old content, the folder may not
// be writable, or the file may be a mount of its own, as in containers. WriteFile writes
// into a device or a FIFO without replacing it.
//
// WriteFile removes only files that it has made. If a signal ends the program between the
// first and the last system call, .NAME.xxxxxxxx stays in the folder. The content is
// complete before the first call, so this takes only as long as writing to the disk.
func WriteFile(path string, stderr io.Writer, write func(io.Writer) error) error {
	t, err := targetOf(path)
	if err != nil {
		return err
	}
	if t.direct {
		f, err := t.open()
		if err != nil {
			return err
		}
		return exit.Join(write(f), f.Close())
	}
	var content bytes.Buffer
	if err := write(&content); err != nil {
		return err
	}
	why := t.shared()
	if why == nil {
		err := t.replace(content.Bytes())
		if err == nil || !t.isNotReplaceable(err) {
			return err
		}
		why = err
	}
	terminal.Say(stderr, "note: %s", terminal.Printable(fmt.Sprintf("%s is written in place, and is broken if that is cut short: %v", path, why)))
	return t.overwrite(content.Bytes())
}

// CheckFile reports why WriteFile would fail, without changing anything, so that a long run
// does not end with an error.
func CheckFile(path string) error {
	t, err := targetOf(path)
	if err != nil || t.direct || t.shared() != nil {
		return err
	}
	f, err := t.beside()
	if t.isNotReplaceable(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return exit.Join(f.Close(), os.Remove(f.Name()))
}

// OpenFile opens a file for writing, and truncates it. Others may read the file while it is
// being written.
func OpenFile(path string) (*os.File, error) {
	t, err := targetOf(path)
	if err != nil {
		return nil, err
	}
	if t.direct {
		return t.open()
	}
	return os.Create(t.path)
}

// A target is the file that is really written, with symbolic links resolved.
type target struct {
	asked  string      // its name as it was given
	path   string      // without symbolic links
	before fs.FileInfo // of the file that is there; nil: none is
	direct bool        // it is nothing that could be replaced
}

// targetOf follows symbolic links, even to a file that does not exist yet.
func targetOf(path string) (target, error) {
	t := target{asked: path, path: path}
	for range 40 { // as many as Linux follows
		info, err := os.Lstat(t.path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return t, nil
		case err != nil:
			return t, err
		case info.IsDir():
			return t, &fs.PathError{Op: "write", Path: path, Err: errors.New("is a directory")}
		case info.Mode()&fs.ModeSymlink == 0:
			t.before = info
			t.direct = t.direct || !info.Mode().IsRegular()
			return t, t.writable()
		}
		if isDescriptor(t.path) {
			// /dev/stdout is such a link. The file that it stands for is open already, and its
			// name may no longer lead to it.
			t.direct = true
			return t, nil
		}
		link, err := os.Readlink(t.path)
		if err != nil {
			return t, err
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(filepath.Dir(t.path), link)
		}
		t.path = link
	}
	return t, &fs.PathError{Op: "write", Path: path, Err: errors.New("too many symbolic links")}
}

// writable returns an error for a file that may not be written, even if it could be replaced.
func (t *target) writable() error {
	if t.direct {
		return nil // opening a device may do something
	}
	f, err := os.OpenFile(t.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// open opens the existing file, and creates none.
func (t *target) open() (*os.File, error) {
	if f, ok, err := duplicate(t.path); ok {
		return f, err
	}
	return os.OpenFile(t.path, os.O_WRONLY, 0)
}

// shared returns the reason why the file must not be replaced although that is possible.
func (t *target) shared() error {
	if t.before == nil || links(t.before) <= 1 {
		return nil
	}
	return fmt.Errorf("it has %d names (hard links)", links(t.before))
}

// isNotReplaceable reports whether err, an error of replace, means that the existing file
// cannot be replaced but may be written.
func (t *target) isNotReplaceable(err error) bool {
	return t.before != nil && (errors.Is(err, fs.ErrPermission) || isOfAMount(err))
}

// replace replaces the existing file by a new one.
func (t *target) replace(content []byte) error {
	f, err := t.beside()
	if err != nil {
		return err
	}
	if err = fill(f, content); err == nil {
		err = os.Rename(f.Name(), t.path)
	}
	if err != nil {
		return exit.Join(&fs.PathError{Op: "write", Path: t.asked, Err: cause(err)}, os.Remove(f.Name()))
	}
	return nil
}

// cause returns an error without the name of the temporary file, which the user did not
// choose.
func cause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// overwrite writes into the existing file.
func (t *target) overwrite(content []byte) error {
	f, err := os.OpenFile(t.path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	return fill(f, content)
}

// fill writes the content, syncs it to the disk, and closes the file. Without the sync, a file
// system may write the new name to the disk before the content.
func fill(f *os.File, content []byte) error {
	_, err := f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return exit.Join(err, f.Close())
}

// beside creates a file in the same folder, with the permissions of the file that it will
// replace.
func (t *target) beside() (*os.File, error) {
	folder, name := filepath.Split(t.path)
	for range 100 {
		f, err := os.OpenFile(fmt.Sprintf("%s.%s.%08x", folder, name, rand.Uint32()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: there is no folder %s", t.path, folder)
		}
		if err != nil {
			return nil, fmt.Errorf("%s is written beside it first: %w", t.path, err)
		}
		if t.before != nil {
			err = exit.Join(giveTo(f, t.before), f.Chmod(t.before.Mode().Perm()))
		}
		if err != nil {
			return nil, exit.Join(&fs.PathError{Op: "write", Path: t.asked, Err: cause(err)}, f.Close(), os.Remove(f.Name()))
		}
		return f, nil
	}
	return nil, fmt.Errorf("%s: no name is free beside it", t.path)
}
