use super::*;

const TASK: &str = "0198c0de-0000-7000-8000-000000000001";

fn limits(bandwidth_bytes_per_second: u64, parallel_files: u32) -> TransferLimits {
    TransferLimits {
        bandwidth_bytes_per_second,
        parallel_files,
    }
}

#[test]
fn a_task_takes_no_more_than_the_settings_allow() {
    let settings = AgentConfig {
        upload_bandwidth_bytes_per_second: 100,
        parallel_files: 4,
        ..AgentConfig::default()
    };
    let own = Limits::new(&settings);
    for (asked, expected) in [
        (limits(0, 0), (100, 0, 4)),
        (limits(50, 2), (50, 50, 2)),
        (limits(200, 9), (100, 200, 4)),
    ] {
        let set = own.set(&settings, TASK, asked);
        let NodeLimits {
            upload_bandwidth_bytes_per_second: up,
            download_bandwidth_bytes_per_second: down,
            parallel_files,
        } = set;
        assert_eq!((up, down, parallel_files), expected, "{asked:?}");
    }
}
