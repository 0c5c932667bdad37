//go:build linux && (mips || mipsle || mips64 || mips64le)

package running

func name() string { return "linux-mips" }

func limits() string { return name() }
