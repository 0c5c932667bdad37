package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/socktest"
	"github.com/tcpkeepalive/keepalive/internal/testenv"
)

var errFull = errors.New("full")

func writes(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

// fails has written half when it fails.
func fails(w io.Writer) error {
	io.WriteString(w, "half")
	return errFull
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

// alone checks that a folder holds these files and nothing else.
func alone(t *testing.T, folder string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	assert.ElementsMatch(t, want, names)
}

func TestAFileIsWholeOrAsBefore(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "f")
	assert.ErrorIs(t, writeFile(path, fails), errFull)
	alone(t, folder)
	require.NoError(t, checkFile(path))
	alone(t, folder)
	require.NoError(t, writeFile(path, writes("one")))
	assert.ErrorIs(t, writeFile(path, fails), errFull)
	assert.Equal(t, "one", content(t, path))
	require.NoError(t, checkFile(path))
	require.NoError(t, os.Chmod(path, 0o604))
	require.NoError(t, writeFile(path, writes("two")))
	assert.Equal(t, "two", content(t, path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o604), info.Mode().Perm(), "as it was")
	alone(t, folder, "f")
}

func TestAFileBehindSymbolicLinks(t *testing.T) {
	t.Parallel()
	folder, other := t.TempDir(), t.TempDir()
	link := filepath.Join(folder, "link")
	require.NoError(t, os.Symlink(filepath.Join(other, "second"), link))
	require.NoError(t, os.Symlink("file", filepath.Join(other, "second")))
	for _, text := range []string{"new", "again"} {
		require.NoError(t, writeFile(link, writes(text)))
		assert.Equal(t, text, content(t, filepath.Join(other, "file")))
	}
	info, err := os.Lstat(link)
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&fs.ModeSymlink, "the link is still one")
	assert.ErrorIs(t, writeFile(link, fails), errFull)
	alone(t, folder, "link")
	alone(t, other, "second", "file")

	loop := filepath.Join(folder, "loop")
	require.NoError(t, os.Symlink("loop", loop))
	assert.ErrorContains(t, writeFile(loop, writes("x")), "too many symbolic links")
}

// What is no file is written to, not replaced, and stays when that fails.
func TestWhatIsNoFileIsNotReplaced(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	fifo := filepath.Join(folder, "fifo")
	require.NoError(t, unix.Mkfifo(fifo, 0o600))
	require.NoError(t, checkFile(fifo))
	reader, err := os.OpenFile(fifo, os.O_RDWR, 0)
	require.NoError(t, err)
	defer reader.Close()
	require.NoError(t, writeFile(fifo, writes("through")))
	b := make([]byte, 7)
	_, err = io.ReadFull(reader, b)
	require.NoError(t, err)
	assert.Equal(t, "through", string(b))
	assert.ErrorIs(t, writeFile(fifo, fails), errFull)
	alone(t, folder, "fifo")

	assert.ErrorContains(t, writeFile(folder, writes("x")), "is a directory")
	assert.DirExists(t, folder)
	require.NoError(t, writeFile("/dev/null", writes("x")))

	if os.Geteuid() == 0 { // who could remove it
		device := filepath.Join(folder, "full")
		if err := unix.Mknod(device, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 7))); err != nil {
			t.Skip("needs to make a device: " + err.Error())
		}
		require.NoError(t, checkFile(device))
		code, _, errs := command("plan", "--path", "aws-nlb-tcp", "--svg", device)
		assert.Equal(t, exitProblems, code)
		assert.Contains(t, errs, "no space left on device")
		info, err := os.Lstat(device)
		require.NoError(t, err)
		assert.NotZero(t, info.Mode()&fs.ModeCharDevice, "still the device")
		alone(t, folder, "fifo", "full")
	}
}

// /dev/stdout may be a file that the shell has opened: it is written to where that
// file stands.
func TestDescriptorsAreWrittenWhereTheyStand(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	f, err := os.Create(filepath.Join(folder, "out"))
	require.NoError(t, err)
	defer f.Close()
	_, err = f.WriteString("first,")
	require.NoError(t, err)
	for _, name := range []string{"/proc/self/fd/%d", "/dev/fd/%d"} {
		require.NoError(t, writeFile(fmt.Sprintf(name, f.Fd()), writes("then,")))
	}
	_, err = f.WriteString("last")
	require.NoError(t, err)
	assert.Equal(t, "first,then,then,last", content(t, f.Name()))
	alone(t, folder, "out")
}

func TestAFullDisk(t *testing.T) {
	t.Parallel()
	testenv.Root(t)
	done := make(chan error)
	folder := t.TempDir()
	go func() { // on a thread that ends with its mount namespace
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
			done <- err
			return
		}
		err := errors.Join(
			unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
			unix.Mount("none", folder, "tmpfs", 0, "size=16k"))
		if err == nil {
			onAFullDisk(t, folder)
		}
		done <- err
	}()
	if err := <-done; err != nil {
		testenv.Need(t, false, "needs to mount: "+err.Error())
	}
}

func onAFullDisk(t *testing.T, folder string) {
	path := filepath.Join(folder, "plan.svg")
	assert.NoError(t, os.WriteFile(path, []byte("before"), 0o644))
	for _, name := range []string{path, filepath.Join(folder, "new.svg")} {
		err := writeFile(name, writes(strings.Repeat("x", 64<<10)))
		assert.ErrorIs(t, err, syscall.ENOSPC)
	}
	b, err := os.ReadFile(path)
	assert.NoError(t, err)
	assert.Equal(t, "before", string(b))
	entries, err := os.ReadDir(folder)
	assert.NoError(t, err)
	assert.Len(t, entries, 1, "nothing is left behind")
}

// TestWithoutPermissionToWrite runs as a user for whom permissions count.
func TestWithoutPermissionToWrite(t *testing.T) {
	const where = "KEEPALIVE_TEST_FOLDER" // of root's files, for the child
	if os.Getenv(where) == "" {
		folder := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(folder, "free"), []byte("before"), 0o666))
		require.NoError(t, os.Chmod(filepath.Join(folder, "free"), 0o666))
		for at := folder; at != "/"; at = filepath.Dir(at) {
			if info, err := os.Stat(at); err == nil && at != os.TempDir() && info.Mode().Perm()&0o055 != 0o055 {
				require.NoError(t, os.Chmod(at, 0o755))
			}
			if filepath.Dir(at) == os.TempDir() {
				break
			}
		}
		t.Setenv(where, folder)
	}
	if !socktest.InChildAsNobody(t) {
		return
	}
	folder := os.Getenv(where)
	for _, name := range []string{"free", "new"} {
		path := filepath.Join(folder, name)
		assert.ErrorIs(t, checkFile(path), fs.ErrPermission)
		err := writeFile(path, writes("after"))
		assert.ErrorIs(t, err, fs.ErrPermission)
		assert.ErrorContains(t, err, "is written beside it first")
	}
	assert.Equal(t, "before", content(t, filepath.Join(folder, "free")))
	own := t.TempDir()
	locked := filepath.Join(own, "locked")
	require.NoError(t, os.WriteFile(locked, []byte("before"), 0o444))
	assert.ErrorIs(t, checkFile(locked), fs.ErrPermission)
	assert.ErrorIs(t, writeFile(locked, writes("after")), fs.ErrPermission, "a read-only file, although it could be replaced")
	assert.Equal(t, "before", content(t, locked))
}
