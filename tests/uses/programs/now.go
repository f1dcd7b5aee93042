// now.go - what a Go program sees of the time: its clock, that of a goroutine, a timer and a deadline.
package main

import (
	"context"
	"fmt"
	"time"
)

func shows(name string, t time.Time) {
	fmt.Printf("%s %.3f\n", name, float64(t.UnixMilli())/1000)
}

func main() {
	shows("now", time.Now())
	there := make(chan time.Time)
	go func() { there <- time.Now() }()
	shows("goroutine", <-there)

	fmt.Println("wait timer")
	<-time.After(time.Second)
	fmt.Println("waited timer")

	ctx, cancel := context.WithDeadline(context.Background(), time.Now().Round(0).Add(time.Second))
	defer cancel()
	fmt.Println("wait deadline")
	<-ctx.Done()
	fmt.Println("waited deadline")
}
