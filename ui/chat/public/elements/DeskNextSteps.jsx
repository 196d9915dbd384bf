const NextSteps = window.desk.component('DeskNextSteps', () => function NextSteps({ steps, send }) {
  return (
    <div className="desk-next" role="group" aria-label="Next steps">
      {steps.map((step) => (
        <button key={step} type="button" className="desk-chip" onClick={() => send(step)}>{step}</button>
      ))}
    </div>
  );
});

export default <NextSteps steps={props.steps} send={sendUserMessage} />;
