// Now.java - what a Java program sees of the time: its clock, that of a thread, and a scheduled task.
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

public class Now {
	static void shows(String name) {
		System.out.printf("%s %.3f%n", name, System.currentTimeMillis() / 1000.0);
	}

	public static void main(String[] args) throws Exception {
		shows("now");
		Thread other = new Thread(() -> shows("thread"));
		other.start();
		other.join();

		ScheduledExecutorService tasks = Executors.newScheduledThreadPool(1);
		System.out.println("wait schedule");
		tasks.schedule(() -> System.out.println("waited schedule"), 1, TimeUnit.SECONDS).get();
		tasks.shutdown();

		System.out.println("wait park");
		LockSupport.parkUntil(System.currentTimeMillis() + 1000);
		System.out.println("waited park");

		System.out.println("wait wait");
		Object lock = new Object();
		synchronized (lock) {
			lock.wait(1000);
		}
		System.out.println("waited wait");
	}
}
