//go:build !race

package follow_test

const stride = 1
