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

// WriteFile writes a file that is whole afterwards, or as it was before, also after a
// power failure: the new one is made beside it and takes its place. What cannot be
// replaced is written in place, which stderr hears: other names of the same file (hard
// links) would keep the old one, the folder may not be writable, or the file be a mount
// of its own, as containers have them. What is no regular file, a device or a FIFO, is
// written to as it is.
//
// Nothing is removed but what was made here. If a signal ends the program between the
// first and the last system call, .NAME.xxxxxxxx stays beside the file; all of it has
// been drawn before, so that is as long as the disk takes.
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

// CheckFile finds out whether WriteFile will be able to, without changing
// anything, so that a long run does not end in an error.
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

// OpenFile opens a file that is written bit by bit and may be read meanwhile.
// What was in it is gone.
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

// A target is where a file is really written.
type target struct {
	asked  string      // its name as it was given
	path   string      // without symbolic links
	before fs.FileInfo // of the file that is there; nil: none is
	direct bool        // it is nothing that could be replaced
}

// targetOf follows symbolic links, also to a file that is not there yet.
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
			// Of this kind is /dev/stdout. The file behind it, which the name need not even
			// lead to, is open elsewhere.
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

// writable refuses a file that may not be written, although it could be replaced.
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

// open opens what is there, and makes nothing.
func (t *target) open() (*os.File, error) {
	if f, ok, err := duplicate(t.path); ok {
		return f, err
	}
	return os.OpenFile(t.path, os.O_WRONLY, 0)
}

// shared says why the file must not be replaced although it could be.
func (t *target) shared() error {
	if t.before == nil || links(t.before) <= 1 {
		return nil
	}
	return fmt.Errorf("it has %d names (hard links)", links(t.before))
}

// isNotReplaceable tells whether err, of what replace does, leaves the file that is
// there, which may be written.
func (t *target) isNotReplaceable(err error) bool {
	return t.before != nil && (errors.Is(err, fs.ErrPermission) || isOfAMount(err))
}

// replace puts a new file in the place of the one that is there.
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

// cause is what an error says of a file that nobody asked for, without its name.
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

// overwrite writes into the file that is there.
func (t *target) overwrite(content []byte) error {
	f, err := os.OpenFile(t.path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	return fill(f, content)
}

// fill writes all of a file, to the disk, and closes it. Without that, a file system may
// have the new name on the disk before the content.
func fill(f *os.File, content []byte) error {
	_, err := f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return exit.Join(err, f.Close())
}

// beside makes a file in the same folder, with the permissions of the one whose
// place it is to take.
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
