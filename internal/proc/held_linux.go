package proc

import (
	"fmt"
	"os"
)

// A Held process is one that stays itself: another that gets its number later is not taken
// for it.
type Held struct {
	pid int
	// The folder of a process is of that process, and is empty when it has gone, whoever has
	// its number then (pid_revalidate in fs/proc/base.c).
	folder *os.Root
}

// Hold holds a process. The error wraps fs.ErrNotExist if there is none.
func Hold(pid int) (*Held, error) {
	root, err := os.OpenRoot(folder(pid))
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	return &Held{pid, root}, nil
}

// Ended tells that the process has ended, whether or not somebody has waited for it.
func (h *Held) Ended() bool {
	if _, err := h.folder.Lstat("stat"); err != nil {
		return Gone(err)
	}
	return Ended(h.pid)
}

// Close lets go of the process.
func (h *Held) Close() error { return h.folder.Close() }
