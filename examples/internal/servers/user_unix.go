//go:build unix

package servers

import (
	"os"
	"os/exec"
	"syscall"
)

// as lets cmd run as that user, if this process may do so, in a process group of
// its own.
func as(cmd *exec.Cmd, owner int) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if owner != 0 && os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(owner), Gid: uint32(owner)}
	}
}

func chown(path string, owner int) error {
	if owner == 0 || os.Geteuid() != 0 {
		return nil
	}
	return os.Chown(path, owner, owner)
}

// terminate asks cmd to end.
func terminate(cmd *exec.Cmd) { cmd.Process.Signal(syscall.SIGTERM) }

// kill ends cmd and what it started.
func kill(cmd *exec.Cmd) { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
