package kernel

// What the tests in kernel_test cannot reach from outside.
var (
	ToKernel   = toKernel
	FromKernel = fromKernel
)

func (s *Step) IsKeepAliveVals() bool { return s.ioctl }
