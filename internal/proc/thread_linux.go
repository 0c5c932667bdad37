package proc

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Folder returns the directory in /proc with the data of a process: /proc/PID or, if its
// first thread has ended while others still run, the directory of another thread. An ended
// thread has neither descriptors nor namespaces.
func Folder(pid int) string {
	if tid := Thread(pid); tid != pid {
		return threads(pid) + "/" + strconv.Itoa(tid)
	}
	return folder(pid)
}

// Thread returns the first thread of a process, which has the number of the process, or
// another thread if the first has ended. pid may also be the number of a thread.
func Thread(pid int) int {
	if state, others := stateOf(folder(pid)); hasEnded(state) && others {
		if tid := livingOf(pid); tid != 0 {
			return tid
		}
	}
	return pid
}

// Ended reports whether all threads of a process are known to have ended although it was
// not waited for yet.
func Ended(pid int) bool {
	state, others := stateOf(folder(pid))
	return hasEnded(state) && (!others || livingOf(pid) == 0)
}

// livingOf returns a thread of the process that has not ended, 0 if there is none.
func livingOf(pid int) int {
	for _, tid := range Threads(pid) {
		if state, _ := stateOf(threads(pid) + "/" + strconv.Itoa(tid)); state != 0 && !hasEnded(state) {
			return tid
		}
	}
	return 0
}

// HasThreads reports quickly whether a process has more than one thread, so that others
// may outlive the first: the directory of the threads has a link for each thread, and two
// more (proc_task_getattr in fs/proc/base.c).
func HasThreads(pid int) bool {
	var st unix.Stat_t
	return unix.Lstat(threads(pid), &st) == nil && st.Nlink > 3
}

// Threads returns the numbers of a process's threads, or none if they cannot be read.
func Threads(pid int) []int {
	tids, err := numbersIn(threads(pid))
	if err != nil {
		return nil
	}
	return tids
}

// HasHiddenFDs reports whether a thread of the process has its own table of descriptors
// (CLONE_FILES of unshare(2)), which /proc/PID/fd does not show. It also returns false if
// kcmp is not permitted.
func HasHiddenFDs(pid int) bool {
	const kcmpFiles = 2 // KCMP_FILES of linux/kcmp.h
	first := Thread(pid)
	for _, tid := range Threads(pid) {
		state, _ := stateOf(threads(pid) + "/" + strconv.Itoa(tid))
		if tid == first || state == 0 || hasEnded(state) {
			continue
		}
		differs, _, errno := unix.Syscall6(unix.SYS_KCMP, uintptr(first), uintptr(tid), kcmpFiles, 0, 0, 0)
		if errno == 0 && differs != 0 {
			return true
		}
	}
	return false
}

func threads(pid int) string { return folder(pid) + "/task" }

func hasEnded(state byte) bool { return state == 'Z' || state == 'X' }

// stateOf returns the state of a thread, such as R, S, D or Z, and whether its process has
// other threads. The state is 0 if it cannot be read.
func stateOf(folder string) (state byte, others bool) {
	stat, err := os.ReadFile(folder + "/stat")
	if err != nil {
		return 0, false
	}
	// PID (name) state and 16 numbers, then the number of threads.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) <= 17 {
		return 0, false
	}
	return fields[0][0], string(fields[17]) != "1"
}
