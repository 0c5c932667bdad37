package proc

import (
	"fmt"
	"os"
)

// A Held is a reference to a process. A later process with the same number is not mistaken
// for it.
type Held struct {
	pid int
	// An open /proc/PID stays that of its process. Once the process has gone it is empty, even if
	// another process has the same number (pid_revalidate in fs/proc/base.c).
	folder *os.Root
}

// Hold refers to a process. The error wraps fs.ErrNotExist if it does not exist.
func Hold(pid int) (*Held, error) {
	root, err := os.OpenRoot(folder(pid))
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	return &Held{pid, root}, nil
}

// Ended reports whether the process has ended, even if it was not waited for yet.
func (h *Held) Ended() bool {
	if _, err := h.folder.Lstat("stat"); err != nil {
		return Gone(err)
	}
	return Ended(h.pid)
}

// Close releases the reference.
func (h *Held) Close() error { return h.folder.Close() }
