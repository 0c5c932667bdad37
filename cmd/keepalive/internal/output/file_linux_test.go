package output_test

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

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/output"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
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

func TestAFileIsWholeOrAsBefore(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "f")
	assert.ErrorIs(t, output.WriteFile(path, io.Discard, fails), errFull)
	clitest.Alone(t, folder)
	require.NoError(t, output.CheckFile(path))
	clitest.Alone(t, folder)
	missing := filepath.Join(folder, "missing") + "/"
	assert.EqualError(t, output.CheckFile(missing+"f"), missing+"f: there is no folder "+missing)
	require.NoError(t, output.WriteFile(path, io.Discard, writes("one")))
	assert.ErrorIs(t, output.WriteFile(path, io.Discard, fails), errFull)
	assert.Equal(t, "one", content(t, path))
	require.NoError(t, output.CheckFile(path))
	require.NoError(t, os.Chmod(path, 0o604))
	require.NoError(t, output.WriteFile(path, io.Discard, writes("two")))
	assert.Equal(t, "two", content(t, path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o604), info.Mode().Perm(), "as it was")
	clitest.Alone(t, folder, "f")
}

func TestAFileBehindSymbolicLinks(t *testing.T) {
	t.Parallel()
	folder, other := t.TempDir(), t.TempDir()
	link := filepath.Join(folder, "link")
	require.NoError(t, os.Symlink(filepath.Join(other, "second"), link))
	require.NoError(t, os.Symlink("file", filepath.Join(other, "second")))
	for _, text := range []string{"new", "again"} {
		require.NoError(t, output.WriteFile(link, io.Discard, writes(text)))
		assert.Equal(t, text, content(t, filepath.Join(other, "file")))
	}
	info, err := os.Lstat(link)
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&fs.ModeSymlink, "the link is still one")
	assert.ErrorIs(t, output.WriteFile(link, io.Discard, fails), errFull)
	clitest.Alone(t, folder, "link")
	clitest.Alone(t, other, "second", "file")

	loop := filepath.Join(folder, "loop")
	require.NoError(t, os.Symlink("loop", loop))
	assert.ErrorContains(t, output.WriteFile(loop, io.Discard, writes("x")), "too many symbolic links")
}

// What is no file is written to, not replaced, and stays when that fails.
func TestWhatIsNoFileIsNotReplaced(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	fifo := filepath.Join(folder, "fifo")
	require.NoError(t, unix.Mkfifo(fifo, 0o600))
	require.NoError(t, output.CheckFile(fifo))
	reader, err := os.OpenFile(fifo, os.O_RDWR, 0)
	require.NoError(t, err)
	defer reader.Close()
	require.NoError(t, output.WriteFile(fifo, io.Discard, writes("through")))
	b := make([]byte, 7)
	_, err = io.ReadFull(reader, b)
	require.NoError(t, err)
	assert.Equal(t, "through", string(b))
	assert.ErrorIs(t, output.WriteFile(fifo, io.Discard, fails), errFull)
	clitest.Alone(t, folder, "fifo")

	assert.ErrorContains(t, output.WriteFile(folder, io.Discard, writes("x")), "is a directory")
	assert.DirExists(t, folder)
	require.NoError(t, output.WriteFile("/dev/null", io.Discard, writes("x")))

	if os.Geteuid() == 0 { // who could remove it
		device := filepath.Join(folder, "full")
		if err := unix.Mknod(device, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 7))); err != nil {
			t.Skip("needs to make a device: " + err.Error())
		}
		require.NoError(t, output.CheckFile(device))
		assert.ErrorIs(t, output.WriteFile(device, io.Discard, writes("x")), unix.ENOSPC)
		info, err := os.Lstat(device)
		require.NoError(t, err)
		assert.NotZero(t, info.Mode()&fs.ModeCharDevice, "still the device")
		clitest.Alone(t, folder, "fifo", "full")
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
		require.NoError(t, output.WriteFile(fmt.Sprintf(name, f.Fd()), io.Discard, writes("then,")))
	}
	_, err = f.WriteString("last")
	require.NoError(t, err)
	assert.Equal(t, "first,then,then,last", content(t, f.Name()))
	clitest.Alone(t, folder, "out")
}

// What is made for one name is there under the others.
func TestAFileWithSeveralNamesKeepsThem(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	one, other := filepath.Join(folder, "one"), filepath.Join(folder, "other")
	require.NoError(t, os.WriteFile(one, []byte("before, and longer"), 0o644))
	require.NoError(t, os.Link(one, other))
	require.NoError(t, output.CheckFile(other))
	var errs strings.Builder
	require.NoError(t, output.WriteFile(one, &errs, writes("after")))
	assert.Equal(t, "after", content(t, other))
	assert.Contains(t, errs.String(), "it has 2 names (hard links)")
	assert.ErrorIs(t, output.WriteFile(one, io.Discard, fails), errFull)
	assert.Equal(t, "after", content(t, other))
	clitest.Alone(t, folder, "one", "other")
}

// A new name must not be on the disk before what it stands for is.
func TestAFileIsOnTheDiskBeforeItTakesThePlace(t *testing.T) {
	if !testkit.InChild(t, nil) {
		return
	}
	folder := t.TempDir()
	path := filepath.Join(folder, "f")
	require.NoError(t, os.WriteFile(path, []byte("before"), 0o644))
	testkit.FailCall(t, unix.SYS_FSYNC, unix.EIO)
	assert.EqualError(t, output.WriteFile(path, io.Discard, writes("after")), "write "+path+": "+unix.EIO.Error())
	assert.Equal(t, "before", content(t, path))
	clitest.Alone(t, folder, "f")
}

// A container has single files of the machine as mounts, and folders that are for
// reading only.
func TestAFileThatIsAMount(t *testing.T) {
	if !clitest.InOwnMounts(t) {
		return
	}
	folder, outside := t.TempDir(), filepath.Join(t.TempDir(), "outside")
	path := filepath.Join(folder, "f")
	require.NoError(t, os.WriteFile(path, nil, 0o644))
	require.NoError(t, os.WriteFile(outside, []byte("before"), 0o644))
	for rule, flags := range map[string]uintptr{"busy": 0, "read-only": unix.MS_RDONLY} {
		require.NoError(t, unix.Mount("tmpfs", folder, "tmpfs", 0, ""))
		require.NoError(t, os.WriteFile(path, nil, 0o644))
		require.NoError(t, unix.Mount(outside, path, "", unix.MS_BIND, ""))
		require.NoError(t, unix.Mount("", folder, "", unix.MS_BIND|unix.MS_REMOUNT|flags, ""))
		require.NoError(t, output.CheckFile(path), rule)
		var errs strings.Builder
		require.NoError(t, output.WriteFile(path, &errs, writes(rule)))
		assert.Equal(t, rule, content(t, outside))
		assert.Contains(t, errs.String(), "is written in place")
		assert.Contains(t, errs.String(), rule)
		clitest.Alone(t, folder, "f")
		require.NoError(t, unix.Unmount(path, 0))
		require.NoError(t, unix.Unmount(folder, 0))
	}
}

func TestAFullDisk(t *testing.T) {
	t.Parallel()
	testkit.Root(t)
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
		testkit.Need(t, false, "needs to mount: "+err.Error())
	}
}

func onAFullDisk(t *testing.T, folder string) {
	path := filepath.Join(folder, "plan.svg")
	assert.NoError(t, os.WriteFile(path, []byte("before"), 0o644))
	for _, name := range []string{path, filepath.Join(folder, "new.svg")} {
		err := output.WriteFile(name, io.Discard, writes(strings.Repeat("x", 64<<10)))
		assert.ErrorIs(t, err, syscall.ENOSPC)
		assert.EqualError(t, err, "write "+name+": no space left on device", "not what is made beside it")
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
	if !testkit.InChildAsNobody(t) {
		return
	}
	folder := os.Getenv(where)
	fresh := filepath.Join(folder, "new")
	assert.ErrorIs(t, output.CheckFile(fresh), fs.ErrPermission)
	err := output.WriteFile(fresh, io.Discard, writes("after"))
	assert.ErrorIs(t, err, fs.ErrPermission)
	assert.ErrorContains(t, err, "is written beside it first")
	free := filepath.Join(folder, "free") // as of /var/log, made for a user
	require.NoError(t, output.CheckFile(free))
	var errs strings.Builder
	assert.ErrorIs(t, output.WriteFile(free, &errs, fails), errFull)
	assert.Equal(t, "before", content(t, free))
	assert.Empty(t, errs.String())
	require.NoError(t, output.WriteFile(free, &errs, writes("after")))
	assert.Equal(t, "after", content(t, free))
	assert.Regexp(t, "^note: "+free+" is written in place, and is broken if that is cut short: .*permission denied\n$", errs.String())
	own := t.TempDir()
	locked := filepath.Join(own, "locked")
	require.NoError(t, os.WriteFile(locked, []byte("before"), 0o444))
	assert.ErrorIs(t, output.CheckFile(locked), fs.ErrPermission)
	assert.ErrorIs(t, output.WriteFile(locked, io.Discard, writes("after")), fs.ErrPermission, "a read-only file, although it could be replaced")
	assert.Equal(t, "before", content(t, locked))
}
